"""Encoded bytes to upright pixels, as TensorFlow graphs for tf.data."""

import functools

import tensorflow as tf

_RATIOS = (1, 2, 4, 8)
WHOLE = len(_RATIOS)

# Whether rows and columns are mirrored, once exchanged, for the EXIF orientations 1 to 8.
_MIRRORED = 2 * [
    (False, False, False),
    (False, True, False),
    (True, True, False),
    (True, False, False),
]


def decode(encoded, shorter_side=None):
    """Decodes what `checked_bytes` lets through.

    A JPEG of which fewer pixels are wanted is decoded at 1/2, 1/4 or 1/8 of its size, which
    libjpeg does within the inverse cosine transform, for less than the whole would take. The
    smallest of these is taken that leaves at least 15/16 of `shorter_side` pixels: a view
    enlarged by 16/15 is hardly softer than one of the whole photograph.

    Args:
        encoded: scalar string tensor.
        shorter_side: int, pixels wanted on the shorter side. Defaults to `None`, all there
            are.

    Returns:
        uint8 `[H, W, 3]`.
    """
    if shorter_side is None:
        return decode_by(encoded, tf.constant(WHOLE))
    way = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: jpeg_way(tf.reduce_min(tf.io.extract_jpeg_shape(encoded)[:2]), shorter_side),
        lambda: tf.constant(WHOLE),
    )
    return decode_by(encoded, way)


def jpeg_way(shorter, shorter_side):
    """Which way of `decode_by` decodes a JPEG as `decode` has it.

    Args:
        shorter: int scalar tensor, pixels on the shorter side of the whole.
        shorter_side: int, pixels wanted there.

    Returns:
        int32 scalar.
    """
    enough = [16 * -(-shorter // ratio) >= 15 * shorter_side for ratio in _RATIOS[1:]]
    return tf.reduce_sum(tf.cast(enough, tf.int32))


def decode_by(encoded, way):
    """Decodes in a way that was settled before.

    Args:
        encoded: scalar string tensor.
        way: int32 scalar tensor, `WHOLE` or, for a JPEG, what `jpeg_way` gives.

    Returns:
        uint8 `[H, W, 3]`.
    """
    whole = functools.partial(tf.io.decode_image, encoded, channels=3, expand_animations=False)
    reduced = [
        functools.partial(tf.io.decode_jpeg, encoded, channels=3, ratio=ratio) for ratio in _RATIOS
    ]
    return tf.ensure_shape(tf.switch_case(way, [*reduced, whole]), (None, None, 3))


def upright(image, orientation):
    """Turns and mirrors a photograph as its EXIF orientation asks.

    Args:
        image: `[H, W, 3]`.
        orientation: scalar int32, 1 to 8.

    Returns:
        The same dtype, `[H, W, 3]` or, from orientation 5 on, `[W, H, 3]`.
    """
    axes = tf.where(orientation > 4, [1, 0, 2], [0, 1, 2])
    mirrored = tf.gather(tf.constant(_MIRRORED, tf.bool), orientation - 1)
    turned = tf.raw_ops.Reverse(tensor=tf.transpose(image, axes), dims=mirrored)
    return tf.ensure_shape(turned, (None, None, 3))
