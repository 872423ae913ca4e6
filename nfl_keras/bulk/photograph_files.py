"""Defines where every worker finds the photographs."""

import dataclasses
import os
import platform
from collections.abc import Callable, Sequence

import numpy as np

from nfl_keras.data import ImageSet, load
from nfl_keras.data.sources.file_set import reader
from nfl_keras.data.sources.table_columns import SUFFIXES as TABLES
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.gallery.photographs import Photographs, find_photographs
from nfl_keras.typing import Path


@dataclasses.dataclass(frozen=True)
class PhotographFiles:
    """A folder or a dataset that every worker opens by itself.

    Args:
        root: str, the folder in which ids are paths, or `None` for a dataset.
        dataset: str, the name of a dataset, see `nfl.data.load`. Defaults to `None`.
        data_dir: str, the folder of the dataset. Defaults to `None`.
    """

    root: str | None
    dataset: str | None = None
    data_dir: str | None = None

    def opened(self) -> Callable[[Sequence[str]], Callable[[int], bytes]]:
        """Opens the photographs.

        Returns:
            Function from ids to a function from a position among them to the bytes.

        Raises:
            UserError: if this machine does not have them.
        """
        if self.root is not None:
            root = self.root
            check_folder(root)
            return lambda ids: reader(root, np.asarray(ids, dtype=str))
        image_set = _whole(str(self.dataset), self.data_dir)
        position_of = {name: position for position, name in enumerate(image_set.ids.tolist())}
        return lambda ids: lambda number: image_set.read(position_of[ids[number]])


def check_folder(folder: Path) -> None:
    """Checks that this machine sees a folder.

    Raises:
        UserError: if it does not.
    """
    if not os.path.isdir(folder):
        raise UserError(
            f"there is no folder {str(folder)!r} on the machine {platform.node()!r}; mount it at "
            f"the same path on every machine."
        )


def find_files(images: Path, data_dir: Path | None = None) -> tuple[Photographs, PhotographFiles]:
    """Finds the photographs of a folder, a table or a dataset.

    Args:
        images: str or path, see `nfl_keras.gallery.photographs`; or the name of a dataset, see
            `nfl.data.load`, all of whose photographs are meant.
        data_dir: str or path of the dataset, see `nfl.data.load`. Defaults to `None`.

    Returns:
        `(photographs, files)`: `Photographs` and `PhotographFiles`.

    Raises:
        UserError: if there are no photographs.

    Example:

    >>> from nfl_keras.bulk.photograph_files import find_files
    >>> photographs, files = find_files("photographs")
    >>> read = files.opened()(["ash/0.jpg"])
    >>> read(0) == photographs.read(0)
    True
    """
    path = local_path(images)
    if path.is_dir() or path.suffix.lower() in TABLES:
        photographs = find_photographs(path)
        return photographs, PhotographFiles(photographs.root)
    name = os.fspath(images)
    data_dir = None if data_dir is None else os.path.abspath(local_path(data_dir))
    photographs = find_photographs(_whole(name, data_dir))
    return photographs, PhotographFiles(None, name, data_dir)


def _whole(name: str, data_dir: str | None) -> ImageSet:
    return load(name, data_dir, split="all", missing_images="skip")
