"""Defines the folder that each worker of a run writes to."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from nfl_keras.distribution.is_chief import is_chief
from nfl_keras.files import local_path
from nfl_keras.typing import Path


@contextlib.contextmanager
def worker_folder(
    path: Path, strategy: tf.distribute.Strategy, resume: bool
) -> Iterator[pathlib.Path]:
    """Gives the folder that this process writes to during a run.

    All workers train and measure alike, but only the chief prints, and only its folder stays.
    The other workers write to a temporary folder.

    Args:
        path: str or `pathlib.Path`, the run's folder.
        strategy: `tf.distribute.Strategy`.
        resume: bool, whether `path` holds a run to resume. Every worker must then be able to read
            it, and a temporary folder begins as its copy.

    Yields:
        `pathlib.Path`: `path` for the chief, else the temporary folder.
    """
    path = local_path(path)
    if is_chief(strategy):
        yield path
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        own = pathlib.Path(folder) / path.name
        if resume:
            shutil.copytree(path, own)
        yield own
