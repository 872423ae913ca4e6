"""Defines the square crops of a photograph that are embedded."""

import tensorflow as tf

from nfl_keras.data.views.resize_shorter_side import resize_shorter_side
from nfl_keras.typing import Tensor


def inference_crops(image: Tensor, size: int, crops: int = 3) -> tf.Tensor:
    """Cuts the square crops whose embeddings are averaged for a photograph.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int, pixels. The shorter side is resized to it, and the crops have this side.
        crops: 1, the center, or 3, the center and the two ends of the longer side.
            Defaults to `3`.

    Returns:
        float32 `[crops, size, size, 3]`, in 0..255.

    Example:

    >>> from nfl_keras.data.views.inference_crops import inference_crops
    >>> inference_crops(tf.zeros((30, 60, 3)), size=20).shape
    TensorShape([3, 20, 20, 3])

    Reference: [NIFL], inference protocol, doi 10.1038/s41598-025-97528-9.
    """
    image = resize_shorter_side(image, size)
    room = tf.shape(image)[:2] - size
    starts = [room // 2] if crops == 1 else [room // 2, tf.zeros_like(room), room]
    squares = [image[s[0] : s[0] + size, s[1] : s[1] + size] for s in starts]
    return tf.ensure_shape(tf.stack(squares), (crops, size, size, 3))
