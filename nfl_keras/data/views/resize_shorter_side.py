"""Defines the resizing of photographs to a shorter side."""

from typing import Literal

from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.typing import Tensor


def resize_shorter_side(
    image: Tensor, size: int, method: Literal["bilinear", "area"] = "bilinear"
) -> tf.Tensor:
    """Resizes an image so that its shorter side has `size` pixels, and keeps the aspect.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int, pixels.
        method: `"bilinear"`, antialiased, or `"area"`, averages of areas. Defaults to
            `"bilinear"`.

    Returns:
        float32 `[H', W', 3]`, in 0..255.

    Example:

    >>> from nfl_keras.data.views.resize_shorter_side import resize_shorter_side
    >>> resize_shorter_side(tf.zeros((30, 60, 3)), 10).shape
    TensorShape([10, 20, 3])
    """
    target = tf.cast(resized_extent(tf.shape(image)[:2], size), tf.int32)
    return tf.image.resize(image, target, method=method, antialias=method == "bilinear")


def resized_extent(extent: Tensor, size: int) -> tf.Tensor:
    """Computes how large `resize_shorter_side` makes an image.

    Args:
        extent: int `[2]`, height and width in pixels.
        size: int, pixels.

    Returns:
        int64 `[2]`, since the longer side may have more pixels than int32 counts.
    """
    extent = tf.cast(extent, tf.float64)
    return tf.cast(tf.round(extent * size / tf.reduce_min(extent)), tf.int64)
