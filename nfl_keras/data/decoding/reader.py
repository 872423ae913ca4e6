"""Defines the functions that read and decode the photographs of an image set in tf.data."""

import functools
from collections.abc import Callable

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


def read_checked(image_set: ImageSet, position: int) -> tuple[bytes, int]:
    """Reads the bytes of one photograph and checks them.

    Args:
        image_set: `nfl.data.ImageSet`.
        position: int.

    Returns:
        `(content, orientation)`, see `checked_bytes`.

    Raises:
        UserError: if `image_set.read` raises one.
        PhotographError: if `image_set.read` raises another error, or `checked_bytes` does.
    """
    name = str(image_set.ids[position])
    try:
        content = image_set.read(int(position))
    except UserError:
        raise
    except Exception as error:  # A `read` by a user may raise errors of any type.
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise PhotographError(name, f"reading it ended in {what}") from error
    return checked_bytes(content, name)


def reader(
    image_set: ImageSet, shorter_side: int | None = None
) -> Callable[[Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Returns a graph function that reads and decodes a photograph.

    Args:
        image_set: `nfl.data.ImageSet`.
        shorter_side: int, pixels wanted on the shorter side, see `decode`. Defaults to
            `None`: all of them.

    Returns:
        A function from a scalar int64 position to `(image, orientation)`: uint8 `[H, W, 3]` as it
        is stored, and the EXIF orientation, an int32 scalar from 1 to 8. Where reading fails, the
        message of TensorFlow's error contains the message of the `UserError`.

    Example:

    >>> from nfl_keras.data.decoding.reader import reader
    >>> read = reader(nfl.data.load("blooms"))
    >>> image, orientation = read(tf.constant(0, tf.int64))
    >>> image.shape, int(orientation)
    (TensorShape([96, 96, 3]), 1)
    """
    return decoded(functools.partial(read_checked, image_set), shorter_side)


def noting_reader(
    image_set: ImageSet, reasons: dict[int, str], shorter_side: int | None = None
) -> Callable[[Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Returns a `reader` that notes why a photograph cannot be used, and then fails.

    TensorFlow would log the error with its whole traceback. For pixels that cannot be decoded
    no reason is noted.

    Args:
        image_set: `nfl.data.ImageSet`.
        reasons: dict that gets the reason of each such photograph by its position.
        shorter_side: int, see `reader`. Defaults to `None`.

    Returns:
        See `reader`.
    """

    def read(position: int) -> tuple[bytes, int]:
        try:
            return read_checked(image_set, position)
        except PhotographError as error:
            reasons[int(position)] = error.reason
        except UserError as error:
            reasons[int(position)] = str(error)
        return b"", 1

    return decoded(read, shorter_side)


def decoded(
    read: Callable[[int], tuple[bytes, int]], shorter_side: int | None = None
) -> Callable[[Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Returns a graph function that decodes the bytes that a Python function reads.

    Args:
        read: function from an int position to `(content, orientation)`, see `checked_bytes`.
        shorter_side: int, see `reader`. Defaults to `None`.

    Returns:
        A function from a scalar int64 position to `(image, orientation)`, see `reader`.
    """

    def pixels(position: Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        content, orientation = tf.numpy_function(
            read, [position], (tf.string, tf.int64), stateful=False
        )
        image = decode(tf.ensure_shape(content, ()), shorter_side)
        return image, tf.cast(tf.ensure_shape(orientation, ()), tf.int32)

    return pixels
