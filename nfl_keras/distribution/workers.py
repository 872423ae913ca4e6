"""What a run does on each of several machines."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import tensorflow as tf

from nfl_keras.distribution.strategies import is_chief
from nfl_keras.errors import UserError

_LOST = ("Collective ops is aborted", "failed to connect to all addresses", "Connection reset")


@contextlib.contextmanager
def own_folder(path, strategy, goes_on):
    """Around a run: the folder that this process writes to.

    Every worker trains and measures alike, and the chief alone leaves anything behind: the others
    print nothing, and write to a folder that is removed in the end. To go on with a run all of
    them must be able to read its folder.

    Args:
        path: str or `pathlib.Path`, the run's folder.
        strategy: `tf.distribute.Strategy`.
        goes_on: bool, whether the folder holds a run to go on with.

    Yields:
        `pathlib.Path`.
    """
    path = pathlib.Path(path)
    if is_chief(strategy):
        yield path
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        own = pathlib.Path(folder) / path.name
        if goes_on:
            shutil.copytree(path, own)
        yield own


@contextlib.contextmanager
def missing_workers():
    """Around training: a worker that is gone becomes a `UserError` that says how to go on."""
    try:
        yield
    except tf.errors.OpError as error:
        if isinstance(error, tf.errors.UnavailableError) or any(w in str(error) for w in _LOST):
            raise UserError(
                "another worker has ended or cannot be reached any more; look at its output, and "
                "go on with --resume on all of them."
            ) from error
        raise
