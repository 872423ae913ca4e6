"""Defines how listed photographs are found on disk, and which photograph lies there instead."""

import functools
import os
import posixpath
import unicodedata
from collections.abc import Sequence

import numpy as np

from nfl_keras.data.sources.file_set import SUFFIXES
from nfl_keras.typing import Path


def find_files(root: Path, names: Sequence[str] | np.ndarray) -> np.ndarray:
    """Returns the names of files as their folders spell them, from one listing per folder.

    A file has the name that is asked for, or else one that differs from it only by Unicode's
    normal form, since macOS and other systems may write the same letters by other code points.

    Args:
        root: str or path.
        names: sequence of str, `[N]`, paths below the root, with `/`.

    Returns:
        str `[N]`, with `""` where there is no file.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.find_files import find_files
    >>> pathlib.Path("a.jpg").touch()
    >>> find_files(".", ["a.jpg", "b.jpg"]).tolist()
    ['a.jpg', '']
    """

    @functools.cache
    def listing(folder: str) -> dict[str, str]:
        try:
            entries = os.listdir(os.path.join(root, folder))
        except OSError:
            return {}
        return {unicodedata.normalize("NFC", entry): entry for entry in entries} | {
            entry: entry for entry in entries
        }

    def find(name: str) -> str | None:
        parent, slash, last = name.rpartition("/")
        folder = find_folder(parent) if slash else ""
        if folder is None:
            return None
        there = listing(folder)
        entry = there.get(last) or there.get(unicodedata.normalize("NFC", last))
        return entry and posixpath.join(folder, entry)

    @functools.cache
    def find_folder(name: str) -> str | None:
        return name if os.path.isdir(os.path.join(root, name)) else find(name)

    return np.array([find(str(name)) or "" for name in names], dtype=str)


def first_photograph(root: Path) -> str | None:
    """Returns the path of the first file below a folder with the suffix of a photograph.

    Args:
        root: str or path.

    Returns:
        str, or `None` if there is none.
    """
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                return os.path.join(folder, name)
    return None
