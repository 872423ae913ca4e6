"""Encoded bytes to upright pixels, as TensorFlow graphs for tf.data."""

import functools

import tensorflow as tf

_RATIOS = (1, 2, 4, 8)

# What brings a photograph upright, for the EXIF orientations 1 to 8.
_TURNS = (
    lambda image: image,
    lambda image: image[:, ::-1],
    lambda image: image[::-1, ::-1],
    lambda image: image[::-1],
    lambda image: _transposed(image),
    lambda image: _transposed(image)[:, ::-1],
    lambda image: _transposed(image)[::-1, ::-1],
    lambda image: _transposed(image)[::-1],
)


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
    whole = functools.partial(tf.io.decode_image, encoded, channels=3, expand_animations=False)
    if shorter_side is None:
        image = whole()
    else:
        reduced = functools.partial(_reduced_jpeg, encoded, shorter_side)
        image = tf.cond(tf.io.is_jpeg(encoded), reduced, whole)
    return tf.ensure_shape(image, (None, None, 3))


def upright(image, orientation):
    """Turns and mirrors a photograph as its EXIF orientation asks.

    Args:
        image: `[H, W, 3]`.
        orientation: scalar int32, 1 to 8.

    Returns:
        The same dtype, `[H, W, 3]` or, from orientation 5 on, `[W, H, 3]`.
    """
    turns = [functools.partial(turn, image) for turn in _TURNS]
    return tf.ensure_shape(tf.switch_case(orientation - 1, turns), (None, None, 3))


def _reduced_jpeg(encoded, shorter_side):
    shorter = tf.reduce_min(tf.io.extract_jpeg_shape(encoded)[:2])
    enough = [16 * -(-shorter // ratio) >= 15 * shorter_side for ratio in _RATIOS[1:]]
    decoders = [
        functools.partial(tf.io.decode_jpeg, encoded, channels=3, ratio=ratio) for ratio in _RATIOS
    ]
    return tf.switch_case(tf.reduce_sum(tf.cast(enough, tf.int32)), decoders)


def _transposed(image):
    return tf.transpose(image, (1, 0, 2))
