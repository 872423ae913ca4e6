"""Files that hold all that a run needs to go on, each whole or known to be torn."""

import hashlib
import json
import os

import numpy as np

from nfl_keras.errors import UserError

KEPT = 2


def write_checkpoint(folder, step, state, arrays):
    """Writes a checkpoint, and drops all but the latest two.

    It is written beside its place, flushed to the disk, and moved there in one step. Its name
    holds the first digits of its own SHA-256, so that one that is torn or damaged is known.

    Args:
        folder: `pathlib.Path`.
        step: int, steps done so far.
        state: dict that JSON can hold.
        arrays: list of arrays of numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / "step.aside"
    text = json.dumps(state, default=float).encode()
    with open(aside, "wb") as file:
        np.savez(file, np.frombuffer(text, np.uint8), *arrays)
    flush(aside)
    os.replace(aside, folder / f"step-{step:010d}-{_digest(aside)}.npz")
    flush(folder)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()


def read_checkpoint(folder):
    """Reads the newest checkpoint that is whole, and removes newer ones that are torn.

    Args:
        folder: `pathlib.Path`.

    Returns:
        `(state, arrays)` as they were written, or `None` where there is no checkpoint.

    Raises:
        UserError: if there are checkpoints, but none is whole.
    """
    paths = _newest_first(folder)
    for number, path in enumerate(paths):
        if _digest(path) == path.stem.rpartition("-")[2]:
            for torn in paths[:number]:
                print(f"{torn.name} is torn; going on from the checkpoint before it")
                torn.unlink()
            with np.load(path, allow_pickle=False) as archive:
                text, *arrays = archive.values()
            return json.loads(text.tobytes()), arrays
    if paths:
        raise UserError(
            f"every checkpoint in {str(folder)!r} is torn ({', '.join(p.name for p in paths)}); "
            f"put back a copy, or remove them and resume to begin the run anew."
        )
    return None


def remove_checkpoints(folder):
    """Removes what `write_checkpoint` left."""
    for path in [*_newest_first(folder), folder / "step.aside"]:
        path.unlink(missing_ok=True)


def flush(path):
    """Has the system write a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _newest_first(folder):
    return sorted(folder.glob("step-*.npz"), reverse=True)


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
