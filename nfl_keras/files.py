"""Defines how files and folders are written: each is there whole or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
import shutil
from collections.abc import Iterator

from nfl_keras.errors import UserError
from nfl_keras.typing import Path

PARTIAL = ".partial-"

_FULL = (errno.ENOSPC, errno.EDQUOT)
# What file systems answer that cannot open or flush a folder, as network and cloud drives.
_NO_FOLDERS = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EPERM)


def local_path(path: Path) -> pathlib.Path:
    """Returns a path that a user gave, in which `~` is the user's home folder.

    A shell expands `~` in few places: not in `--data-dir=~/photographs`, and not in files.

    Args:
        path: str or path.

    Returns:
        The `pathlib.Path`.

    Example:

    >>> import pathlib
    >>> from nfl_keras.files import local_path
    >>> local_path("~/photographs") == pathlib.Path.home() / "photographs"
    True
    """
    return pathlib.Path(os.path.expanduser(path))


def write_whole(path: Path, content: str | bytes, exist_ok: bool = True) -> pathlib.Path:
    """Writes a file, whole or not at all, see `replacing`.

    Args:
        path: str or path. Folders that are missing are made.
        content: bytes, or a str that is written as UTF-8. Characters that UTF-8 does not have
            (in file names that were never text) become "?".
        exist_ok: bool, whether the file may replace another. Defaults to `True`.

    Returns:
        The `pathlib.Path`.

    Raises:
        UserError: if the disk is full.
        OSError: if the file cannot be written for another reason.

    Example:

    >>> from nfl_keras.files import write_whole
    >>> write_whole("notes.txt", "whole").read_text()
    'whole'
    """
    if isinstance(content, str):
        content = content.encode("utf-8", errors="replace")
    with replacing(path, exist_ok) as partial:
        partial.write_bytes(content)
    return local_path(path)


@contextlib.contextmanager
def replacing(path: Path, exist_ok: bool = True) -> Iterator[pathlib.Path]:
    """Yields a path beside `path`, and moves what is written there to `path` in one step.

    Whatever happens to the process or the machine, `path` holds what it held before or all of
    what is new. After an error nothing of the new is left, nor of the folders made for it.

    Args:
        path: str or path of a file or a folder. Folders above it that are missing are made.
        exist_ok: bool, whether a file may replace another. Defaults to `True`.

    Yields:
        `pathlib.Path` at which there is nothing yet. It has the suffix of `path`.

    Raises:
        UserError: if the disk is full.
        FileExistsError: if there is something at `path` and `exist_ok` is `False`.
        OSError: if the file or folder cannot be written or moved for another reason.

    Example:

    >>> from nfl_keras.files import replacing
    >>> with replacing("numbers.npy") as partial:
    ...     np.save(partial, [1, 2])
    >>> np.load("numbers.npy")
    array([1, 2])
    """
    with unfinished(path) as partial:
        yield partial
        move_into_place(partial, path, exist_ok)


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[pathlib.Path]:
    """Yields a path to write to beside `path`, and removes what is left there in the end.

    Unlike `replacing` it leaves `move_into_place` to the caller, for a file whose name depends on
    its content.

    Args:
        path: str or path. Folders above it that are missing are made.

    Yields:
        `pathlib.Path` at which there is nothing yet. It has the suffix of `path`.

    Raises:
        UserError: if the disk is full.
        OSError: if folders cannot be made.
    """
    path = local_path(path)
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
        yield partial
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise UserError(
            f"{str(path)!r} cannot be written, since the disk is full ({error.strerror}); make "
            f"room, then run the command again, a training run with --resume."
        ) from error
    finally:
        _remove(partial)
        with contextlib.suppress(OSError):  # A folder that is in use stays.
            for folder in missing:
                folder.rmdir()


def move_into_place(partial: Path, path: Path, exist_ok: bool = True) -> None:
    """Flushes a file or a folder to the disk, then moves it to `path` in one step.

    Folders are not flushed on file systems that cannot do so.

    Args:
        partial: str or path of what is written.
        path: str or path on the same file system.
        exist_ok: bool, whether a file may replace another. Defaults to `True`.

    Raises:
        FileExistsError: if there is something at `path` and `exist_ok` is `False`.
        OSError: if it cannot be moved, such as onto a folder that is not empty.
    """
    partial, path = pathlib.Path(partial), local_path(path)
    for written in (*partial.rglob("*"), partial):
        _flush(written)
    if exist_ok:
        os.replace(partial, path)
    else:
        _move_to_new(partial, path)
    _flush(path.parent)


def remove_partial(folder: Path) -> None:
    """Removes what a process that was killed has left of unfinished files.

    Args:
        folder: str or path of a folder that no other process writes to.
    """
    for partial in pathlib.Path(folder).glob(f"{PARTIAL}*"):
        _remove(partial)


def _move_to_new(partial: pathlib.Path, path: pathlib.Path) -> None:
    try:
        os.link(partial, path)  # Unlike a move it never replaces a file.
        partial.unlink()
    except FileExistsError:
        raise
    except OSError:  # Neither folders nor all file systems have such links.
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.rename(partial, path)


def _remove(path: pathlib.Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: pathlib.Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_FOLDERS):
            raise
