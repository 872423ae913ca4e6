"""Files that are there whole or not at all."""

import contextlib
import os
from pathlib import Path


def write_whole(path, text):
    """Writes the text beside its place, then moves it there in one step.

    Args:
        path: str or path. Folders that are missing are made.
        text: str, written as UTF-8; what UTF-8 cannot say (file names that were never
            text) becomes "?".

    Returns:
        The `pathlib.Path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(text.encode("utf-8", errors="replace"))
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
        raise
    return path
