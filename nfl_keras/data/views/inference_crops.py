"""Defines the square crops of a photograph that are embedded."""

import tensorflow as tf

from nfl_keras.data.views.resize_shorter_side import resize_shorter_side


def inference_crops(image, size, crops=3):
    """The square crops whose embeddings are averaged when a photograph is embedded.

    Args:
        image: `[H, W, 3]`, pixels in 0..255.
        size: int. The shorter side is resized to it, and the crops are of this side.
        crops: 1, the center; or 3, the center and the two ends of the longer side.
            Defaults to `3`.

    Returns:
        float32 `[crops, size, size, 3]`, in 0..255.

    Reference: [NIFL], inference protocol.
    """
    image = resize_shorter_side(image, size)
    room = tf.shape(image)[:2] - size
    starts = [room // 2] if crops == 1 else [room // 2, tf.zeros_like(room), room]
    squares = [image[s[0] : s[0] + size, s[1] : s[1] + size] for s in starts]
    return tf.ensure_shape(tf.stack(squares), (crops, size, size, 3))
