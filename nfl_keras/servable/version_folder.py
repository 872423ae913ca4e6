"""A new version of a model: there whole or not at all, for servers that watch the folder."""

import contextlib
import errno
import os
import pathlib
import re
import secrets
import shutil

from nfl_keras.errors import UserError

_VERSION = re.compile(r"[0-9]{1,18}")


def versions_in(base):
    """The versions of a model.

    Args:
        base: path of the model's folder, which need not exist.

    Returns:
        Dict from version to its path, in order. A folder whose name is no positive number, such as
        one that is being written, is no version.
    """
    base = pathlib.Path(base)
    try:
        numbered = [(int(path.name), path) for path in base.iterdir() if _is_version(path)]
    except OSError:
        return {}
    return dict(sorted(numbered))


@contextlib.contextmanager
def new_version(base, version=None):
    """Around the writing of a version, which servers see when it is complete.

    It is written into a folder `.partial-...` beside its place, flushed to the disk, and moved
    there in one step. After any error, Ctrl-C included, nothing of it is left.

    Args:
        base: path of the model's folder. Folders that are missing are made.
        version: int >= 1. Defaults to the one after the highest there is.

    Yields:
        `(folder, version)`: the `pathlib.Path` to write into, and the int.

    Raises:
        UserError: if there is such a version already, or it cannot be written.
    """
    base = pathlib.Path(base)
    version = max(versions_in(base), default=0) + 1 if version is None else version
    target = base / str(version)
    if target.exists():
        raise UserError(f"there is a version {version} in {str(base)!r}; leave out the number.")
    folder = base / f".partial-{version}-{secrets.token_hex(4)}"
    made = [path for path in (base, *base.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True)
        yield folder, version
        for path in (*folder.rglob("*"), folder):
            _flush(path)
        os.rename(folder, target)
        _flush(base)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            for path in made:
                path.rmdir()
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise UserError(
                f"another export has written version {version} into {str(base)!r} meanwhile; "
                f"export again."
            ) from error
        if isinstance(error, OSError):
            raise UserError(
                f"cannot write version {version} into {str(base)!r} ({error.strerror}); name "
                f"another folder, or make room."
            ) from error
        raise


def _is_version(path):
    return bool(_VERSION.fullmatch(path.name)) and int(path.name) > 0 and path.is_dir()


def _flush(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
