"""Photographs in files below a root, read by their relative names."""

import os
import stat

import numpy as np

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
MAX_BYTES = 256 * 2**20


def file_set(root, names, labels, class_names, own_split=None):
    """An `ImageSet` of files below a root, their ids the names.

    Nothing is kept but the array of ids, and no file is touched before it is read. Every
    read resolves symbolic links and refuses a file that lies outside the root.

    Args:
        root: str or `pathlib.Path`, a folder; may itself be a symbolic link.
        names: sequence of str, `[N]`, paths below the root, with `/`.
        labels: int `[N]`.
        class_names: sequence of str.
        own_split: sequence of str, `[N]`. Defaults to `None`.

    Returns:
        An `ImageSet` whose `read` raises a `UserError` naming the file that leads out of the
        root, is missing, cannot be read or is larger than 256 MiB.
    """
    ids = np.asarray(names, dtype=str)
    root = os.path.realpath(root)
    return ImageSet(
        ids=ids,
        labels=labels,
        class_names=class_names,
        read=lambda position: _read(root, str(ids[position])),
        own_split=own_split,
    )


def files_exist(root, names):
    """Which of the names are entries of their folders, by one listing per folder.

    Args:
        root: str or `pathlib.Path`.
        names: sequence of str, `[N]`, paths below the root, with `/`.

    Returns:
        bool `[N]`.
    """
    listings = {}
    there = np.zeros(len(names), bool)
    for position, name in enumerate(names):
        parent, _, file_name = str(name).rpartition("/")
        if parent not in listings:
            listings[parent] = _listing(os.path.join(root, parent))
        there[position] = file_name in listings[parent]
    return there


def _listing(folder):
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _read(root, name):
    if "\0" in name:
        raise UserError(f"the photograph {name!r} cannot be a file; correct its name.")
    try:
        path = os.path.realpath(os.path.join(root, name))
        if os.path.commonpath([root, path]) != root:
            raise UserError(
                f"the photograph {name!r} leads out of {root!r}, to {path!r}; move the file "
                f"into the folder."
            )
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"the photograph {name!r} below {root!r} is not a file.")
        if status.st_size > MAX_BYTES:
            raise UserError(
                f"the photograph {name!r} below {root!r} has {status.st_size:,} bytes, more "
                f"than the {MAX_BYTES:,} that are read; make it smaller."
            )
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError(
            f"the photograph {name!r} below {root!r} cannot be read ({error.strerror}); put it "
            f"there, or make it readable."
        ) from error
