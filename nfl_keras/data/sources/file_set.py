"""Defines image sets of files below a folder."""

import os
import stat
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from nfl_keras.data.image_set import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

# An MPO is read as the JPEG that it begins with, and a .dib is a BMP by another name.
_FORMATS = ("BMP", "DIB", "GIF", "JPEG", "MPO", "PNG", "TIFF", "WEBP")
SUFFIXES = tuple(sorted(s for s, f in Image.registered_extensions().items() if f in _FORMATS))
MAX_BYTES = 256 * 2**20


def file_set(
    root: Path,
    names: Sequence[str] | np.ndarray,
    labels: Sequence[int] | np.ndarray,
    class_names: Sequence[str],
    own_split: Sequence[str] | np.ndarray | None = None,
    categories: Sequence[str] | None = None,
) -> ImageSet:
    """Returns an `ImageSet` of files below a folder, whose ids are their names.

    It holds only the array of ids, and opens no file before it is read. Every read resolves
    symbolic links and refuses a file outside the folder.

    Args:
        root: str or path of the folder, which may be a symbolic link.
        names: sequence of str, `[N]`, paths below the root, with `/`.
        labels: int `[N]`.
        class_names: sequence of str.
        own_split: sequence of str, `[N]`, see `ImageSet`. Defaults to `None`.
        categories: sequence of str, see `ImageSet`. Defaults to `None`.

    Returns:
        An `ImageSet`. Its `read` raises a `UserError` that names the file if it lies outside the
        folder, is missing, cannot be read or is larger than 256 MiB.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.file_set import file_set
    >>> size = pathlib.Path("rose.jpg").write_bytes(nfl.data.load("blooms").read(0))
    >>> image_set = file_set(".", ["rose.jpg"], [0], ["rose"])
    >>> len(image_set.read(0)) == size
    True
    """
    ids = np.asarray(names, dtype=str)
    return ImageSet(ids, labels, class_names, reader(root, ids), "", own_split, categories)


def reader(root: Path, names: np.ndarray) -> Callable[[int], bytes]:
    """Returns the `read` of `file_set`.

    Args:
        root: str or path.
        names: str `[N]`, paths below the root, with `/`.

    Returns:
        Function from a position in `0 .. N - 1` to the bytes of that file.
    """
    root = os.path.realpath(root)
    return lambda position: read_below(root, str(names[position]))


def read_below(root: str, name: str) -> bytes:
    """Reads a file below a folder, and refuses one outside of it.

    Args:
        root: str, the real path of the folder.
        name: str, path below it, with `/`.

    Returns:
        The bytes.

    Raises:
        UserError: see `file_set`.
    """
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
