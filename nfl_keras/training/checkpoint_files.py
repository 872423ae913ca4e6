"""Defines the files that hold a run's checkpoints: each is whole, or known to be torn."""

import hashlib
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.files import move_into_place, remove_partial, unfinished

KEPT = 2


def write_checkpoint(
    folder: pathlib.Path, step: int, state: dict[str, Any], arrays: Sequence[np.ndarray]
) -> None:
    """Writes a checkpoint whole or not at all, and removes all but the latest two.

    The file's name holds the first digits of the file's SHA-256, so that `read_checkpoint`
    recognizes a file that is torn or damaged.

    Args:
        folder: `pathlib.Path`. It is made if it is missing.
        step: int, number of training steps done so far.
        state: dict that JSON can hold.
        arrays: sequence of arrays of numbers.

    Raises:
        OSError: if the checkpoint cannot be written.
    """
    text = json.dumps(state, default=float).encode()
    with unfinished(folder / "step.npz") as partial:
        np.savez(partial, np.frombuffer(text, np.uint8), *arrays)
        move_into_place(partial, folder / f"step-{step:010d}-{_digest(partial)}.npz")
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()


def read_checkpoint(folder: pathlib.Path) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Reads the newest checkpoint that is whole, and removes files that are not whole.

    Args:
        folder: `pathlib.Path`, to which no other process writes.

    Returns:
        `(state, arrays)` as they were written, or `None` if there is no checkpoint.

    Raises:
        UserError: if there are checkpoints, but none is whole.
    """
    remove_partial(folder)
    paths = _newest_first(folder)
    for number, path in enumerate(paths):
        if _digest(path) == path.stem.rpartition("-")[2]:
            for torn in paths[:number]:
                print(f"{torn.name} is torn; resuming from the checkpoint before it")
                torn.unlink()
            with np.load(path, allow_pickle=False) as archive:
                text, *arrays = archive.values()
            return json.loads(text.tobytes()), arrays
    if paths:
        raise UserError(
            f"every checkpoint in {str(folder)!r} is torn ({', '.join(p.name for p in paths)}); "
            f"put back a copy, or remove them and resume to train from the beginning."
        )
    return None


def remove_checkpoints(folder: pathlib.Path) -> None:
    """Removes the files of `write_checkpoint`, also those that a killed process left unfinished.

    Args:
        folder: `pathlib.Path`, to which no other process writes.
    """
    remove_partial(folder)
    for path in _newest_first(folder):
        path.unlink()


def _newest_first(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.glob("step-*.npz"), reverse=True)


def _digest(path: pathlib.Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
