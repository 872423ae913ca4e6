"""Defines the translation of TensorFlow's errors about lost workers."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

from nfl_keras.errors import UserError

_LOST = ("Collective ops is aborted", "failed to connect to all addresses", "Connection reset")


@contextlib.contextmanager
def explain_lost_workers() -> Iterator[None]:
    """Turns TensorFlow's error about a lost worker into a `UserError` that says how to resume.

    Raises:
        UserError: if the body fails because another worker ended or cannot be reached.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if isinstance(error, tf.errors.UnavailableError) or any(w in str(error) for w in _LOST):
            raise UserError(
                "another worker has ended or cannot be reached; read its output, then resume "
                "with --resume on all workers."
            ) from error
        raise
