"""From a position in an image set to pixels, for tf.data."""

import functools

import tensorflow as tf

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode, upright
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.errors import UserError


def read_checked(image_set, position):
    """One photograph's bytes, checked.

    Args:
        image_set: `nfl.data.ImageSet`.
        position: int.

    Returns:
        `(content, orientation)`, see `checked_bytes`.

    Raises:
        UserError: as `image_set.read` raises it. Whatever else that raises, and what
            `checked_bytes` refuses, is a `PhotographError`, which names the photograph.
    """
    name = str(image_set.ids[position])
    try:
        content = image_set.read(int(position))
    except UserError:
        raise
    except Exception as error:  # the author of `read` may raise anything
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise PhotographError(name, f"reading it ended in {what}") from error
    return checked_bytes(content, name)


def reader(image_set, shorter_side=None):
    """Reading and decoding, as a graph function.

    Args:
        image_set: `nfl.data.ImageSet`.
        shorter_side: int, pixels wanted on the shorter side, see `decode`. Defaults to
            `None`, all there are.

    Returns:
        A function from a scalar int64 position to uint8 `[H, W, 3]`, upright. Where reading
        fails, the message of TensorFlow's error holds that of the `UserError`.
    """
    return pixels_of(functools.partial(read_checked, image_set), shorter_side)


def pixels_of(read, shorter_side=None):
    """Decoding of what a Python function reads, as a graph function.

    Args:
        read: function from an int position to `(content, orientation)`, see `checked_bytes`.
        shorter_side: as of `reader`. Defaults to `None`.

    Returns:
        A function from a scalar int64 position to uint8 `[H, W, 3]`, upright.
    """

    def pixels(position):
        content, orientation = tf.numpy_function(
            read, [position], (tf.string, tf.int64), stateful=False
        )
        image = decode(tf.ensure_shape(content, ()), shorter_side)
        return upright(image, tf.cast(tf.ensure_shape(orientation, ()), tf.int32))

    return pixels
