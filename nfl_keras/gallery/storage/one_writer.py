"""Defines the lock that keeps a second process of one machine from writing."""

import contextlib
import pathlib
from collections.abc import Iterator

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

from nfl_keras.errors import UserError


@contextlib.contextmanager
def one_writer(folder: pathlib.Path, gallery: str) -> Iterator[None]:
    """Holds the file `lock` in a folder, which is made.

    Args:
        folder: `pathlib.Path`.
        gallery: str, its name, for messages.

    Raises:
        UserError: if another process holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / "lock", "wb")  # noqa: SIM115
    except OSError as error:
        raise UserError(
            f"cannot write to the gallery {gallery!r} ({error.strerror}); name another folder."
        ) from error
    with file:
        if fcntl is not None:  # Windows has no such lock.
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UserError(
                    f"another process writes to the gallery {gallery!r}; try again when it is "
                    f"finished."
                ) from error
        yield
