"""Photographs, or whole datasets, that are not where they were looked for."""

import dataclasses
import shlex
from collections.abc import Sequence

from nfl_keras.data.sources.files import are_there
from nfl_keras.data.sources.prepared import find_prepared, prepared
from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Whereabouts:
    """Where a named dataset is to be had, and how its files lie.

    Args:
        name: str, of the dataset.
        places: sequence of str, each a line on where to get it.
        tree: str, the files expected in `data_dir`, a line each.
        tfds_names: sequence of str, the names under which TFDS prepares it. Defaults to none.
    """

    name: str
    places: Sequence[str]
    tree: str
    tfds_names: Sequence[str] = ()

    def prepared(self, data_dir):
        """All photographs, where TFDS has prepared the dataset.

        Args:
            data_dir: str, `pathlib.Path` or `None`, see `nfl_keras.data.sources.prepared`.

        Returns:
            An `ImageSet`.

        Raises:
            UserError: `not_found`, if TFDS has not.
        """
        name = find_prepared(self.tfds_names, data_dir)
        if name is None:
            raise self.not_found(data_dir)
        return prepared(name, data_dir)

    def not_found(self, data_dir, reason=None):
        """The error for a dataset of which nothing is there.

        Args:
            data_dir: str, `pathlib.Path` or `None`, where it was looked for.
            reason: str, what went wrong. Defaults to `None`: it is not in `data_dir`.

        Returns:
            A `UserError`: a line, then the places, the files expected and the command to run.
        """
        folder = "FOLDER" if data_dir is None else shlex.quote(str(data_dir))
        if reason is None:
            reason = "is not found, no data_dir being given"
            if data_dir is not None:
                reason = f"is not found in {str(data_dir)!r}"
        lines = [
            f"{self.name} {reason}. It is to be had from:",
            *(f"  {place}" for place in self.places),
            f"Expected in {folder}:",
            *(f"  {line}" for line in self.tree.splitlines()),
            "Then run again, as in:",
            f"  python -m nfl_keras.train --dataset {self.name} --data-dir {folder}",
        ]
        return UserError("\n".join(lines))


def without_missing(image_set, root, missing_images, name, total=None):
    """The photographs of a set whose files are there.

    Args:
        image_set: `ImageSet` whose ids are names below the root.
        root: str or `pathlib.Path`.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
        name: str, of the dataset.
        total: int, photographs of the whole dataset. Defaults to those of the set.

    Returns:
        An `ImageSet`; where it is not the whole dataset, its description says what part. It is
        empty where no file is there.

    Raises:
        UserError: if some photographs, but not all, are missing under `"error"`.
    """
    there = are_there(root, image_set.ids)
    missing = image_set.ids[~there]
    found, total = int(there.sum()), len(image_set) if total is None else total
    if found and len(missing) and missing_images == "error":
        raise UserError(
            f"{len(missing):,} of the {len(image_set):,} photographs of {name} are not below "
            f"{str(root)!r} (the first: {', '.join(missing[:3])}); put them there, or do without "
            f"them by missing_images = skip."
        )
    if found == len(image_set) == total:
        return image_set
    return image_set.subset(there, f"in part: {found:,} of {total:,} photographs")
