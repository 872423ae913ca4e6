"""Defines how a folder with one folder per class is read."""

import os
import pathlib
from collections.abc import Callable

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.file_set import SUFFIXES, file_set
from nfl_keras.errors import UserError
from nfl_keras.typing import Path


def folder(path: Path) -> ImageSet:
    """Returns all photographs of a folder with one folder per class.

    A photograph's id is its path below the folder. Hidden entries, other files, and class
    folders without photographs are ignored.

    Args:
        path: str or path.

    Returns:
        An `ImageSet` with its classes in alphabetical order.

    Raises:
        UserError: if the folder does not exist, or holds no photograph in a class folder.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.folder import folder
    >>> pathlib.Path("flowers/rose").mkdir(parents=True)
    >>> pathlib.Path("flowers/rose/1.jpg").touch()
    >>> folder("flowers").ids.tolist()
    ['rose/1.jpg']
    """
    root = pathlib.Path(path)
    if not root.is_dir():
        raise UserError(f"there is no folder {str(root)!r}. Expected:\n{_tree(root.name)}")
    names: list[str] = []
    labels: list[int] = []
    class_names: list[str] = []
    for class_name in _visible(root, os.DirEntry.is_dir):
        photographs = [
            name
            for name in _visible(root / class_name, os.DirEntry.is_file)
            if name.lower().endswith(SUFFIXES)
        ]
        if photographs:
            names += [f"{class_name}/{name}" for name in photographs]
            labels += [len(class_names)] * len(photographs)
            class_names.append(class_name)
    if not names:
        raise UserError(
            f"the folder {str(root)!r} holds no class folders with photographs "
            f"({', '.join(SUFFIXES)}). Expected:\n{_tree(root.name)}"
        )
    return file_set(root, names, labels, class_names)


def _visible(path: pathlib.Path, kind: Callable[[os.DirEntry], bool]) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.name[0] != "." and kind(entry))


def _tree(name: str) -> str:
    return (
        f"  {name or 'folder'}/\n"
        "    first class/\n"
        "      any name.jpg\n"
        "      ...\n"
        "    second class/\n"
        "      ..."
    )
