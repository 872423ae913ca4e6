"""Defines how photographs that a dataset lists, but that have no file, are left out."""

import dataclasses
from typing import Literal, TypeAlias

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import reader
from nfl_keras.data.sources.find_files import find_files
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

MissingImages: TypeAlias = Literal["error", "skip"]


def without_missing(
    image_set: ImageSet,
    root: Path,
    missing_images: MissingImages,
    name: str,
    total: int | None = None,
) -> ImageSet:
    """Returns the photographs of a set whose files exist.

    Files whose names differ from the ids by Unicode's normal form alone are read, see
    `find_files`.

    Args:
        image_set: `ImageSet` whose ids are names below the root.
        root: str or path.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
        name: str, the dataset's name for messages.
        total: int, photographs of the whole dataset. Defaults to `None`: the photographs of the
            set.

    Returns:
        An `ImageSet`. If it is a part of the dataset, its description says which part. It is
        empty if no file exists.

    Raises:
        UserError: if some photographs, but not all, are missing under `"error"`.
    """
    files = find_files(root, image_set.ids)
    there = files != ""
    files = np.where(there, files, image_set.ids)
    if (files != image_set.ids).any():
        image_set = dataclasses.replace(image_set, read=reader(root, files))
    missing = image_set.ids[~there]
    found, total = int(there.sum()), len(image_set) if total is None else total
    if found and len(missing) and missing_images == "error":
        raise UserError(
            f"{len(missing):,} of the {len(image_set):,} photographs of {name} are not below "
            f"{str(root)!r} (the first: {', '.join(missing[:3])}); put them there, or leave them "
            f"out by missing_images = skip."
        )
    if found == len(image_set) == total:
        return image_set
    return image_set.subset(there, f"in part: {found:,} of {total:,} photographs")
