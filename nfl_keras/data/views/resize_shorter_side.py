"""Defines the resizing of photographs to a shorter side."""

from typing import Literal

import tensorflow as tf

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
    extent = tf.cast(tf.shape(image)[:2], tf.float32)
    target = tf.cast(tf.round(extent * size / tf.reduce_min(extent)), tf.int32)
    return tf.image.resize(image, target, method=method, antialias=method == "bilinear")
