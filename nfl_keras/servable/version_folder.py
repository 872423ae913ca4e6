"""The numbered folders of a model's versions, each written whole or not at all."""

import contextlib
import errno
import pathlib
import re
from collections.abc import Iterator

from nfl_keras.errors import UserError
from nfl_keras.files import local_path, replacing
from nfl_keras.typing import Path

_VERSION = re.compile(r"0*[1-9][0-9]{0,17}")


def versions_in(base: Path) -> dict[int, pathlib.Path]:
    """Finds the versions in a model's folder, which need not exist, in ascending order.

    A folder whose name is not a positive number, such as an unfinished one, is not a version.
    """
    base = local_path(base)
    try:
        numbered = [path for path in base.iterdir() if _VERSION.fullmatch(path.name)]
    except OSError:
        return {}
    return dict(sorted((int(path.name), path) for path in numbered if path.is_dir()))


@contextlib.contextmanager
def new_version(base: Path, version: int | None = None) -> Iterator[tuple[pathlib.Path, int]]:
    """Yields a folder for a new version, which servers see once the context has ended.

    After any error, Ctrl-C included, nothing of the version is left.

    Args:
        base: path of the model's folder. Missing folders are made.
        version: int >= 1. Defaults to the one after the highest version.

    Raises:
        UserError: if the version exists already, or cannot be written.

    Example:

    >>> from nfl_keras.servable.version_folder import new_version, versions_in
    >>> with new_version("models/embedder") as (folder, version):
    ...     _ = (folder / "saved_model.pb").write_bytes(b"")
    >>> versions_in("models/embedder")
    {1: PosixPath('models/embedder/1')}
    """
    base = local_path(base)
    version = max(versions_in(base), default=0) + 1 if version is None else version
    target = base / str(version)
    if target.exists():
        raise UserError(f"there is a version {version} in {str(base)!r}; leave out the number.")
    try:
        with replacing(target) as folder:
            folder.mkdir()
            yield folder, version
    except OSError as error:
        is_there = error.errno in (errno.ENOTEMPTY, errno.EEXIST)
        reason = "another export has just written it" if is_there else error.strerror
        raise UserError(
            f"cannot write version {version} into {str(base)!r} ({reason}); export again, name "
            f"another folder, or make room."
        ) from error
