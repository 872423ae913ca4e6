"""The geometry of training views and of inference crops, as TensorFlow graphs for tf.data."""

import math

import tensorflow as tf

from nfl_keras.data.views.resize_shorter_side import resize_shorter_side

# A photograph whose shorter side is at most this times the one wanted is sampled as it is.
_LARGEST_SCALE = 16 / 15


def shorter_side(size):
    """The shorter side that [NIFL] crops views from: 256 pixels for views of 224."""
    return round(size * 256 / 224)


def augment(image, size, seed, max_rotation=15.0, mirror=True):
    """A random training view, in [NIFL]'s order.

    The shorter side is brought to `shorter_side(size)`, a `size` square is cropped at random,
    turned about its center by up to `max_rotation` degrees and mirrored half of the time. All
    of this is one bilinear sampling of the photograph, so that the corners of a turned crop
    show the photograph, and past its border its reflection (the border pixel comes twice).
    Only a photograph larger than 16/15 of what is wanted is first reduced, by averaging areas.

    The paper mirrors after it changes colors. Here colors are changed after this function:
    a change that maps each pixel's color alike commutes with mirroring.

    Args:
        image: `[H, W, 3]`, pixels in 0..255, of any size from 1 x 1.
        size: int, side of the view in pixels.
        seed: int `[2]`. The same seed gives the same view, bit for bit.
        max_rotation: float, degrees. Defaults to `15.0`.
        mirror: bool, whether half of the views are mirrored. Defaults to `True`.

    Returns:
        float32 `[size, size, 3]`, in 0..255.
    """
    image, target = tf.convert_to_tensor(image), shorter_side(size)
    draws = tf.cast(tf.random.stateless_uniform((4,), seed), tf.float64)
    angle = (2 * draws[2] - 1) * math.radians(max_rotation)
    sign = tf.where(draws[3] < 0.5, -1.0, 1.0) if mirror else 1.0
    turn = _turn(angle, tf.cast(sign, tf.float64))
    # A window of this half side holds every pixel that a turned view may sample.
    widest = math.radians(min(max_rotation, 45.0))
    reach = (size - 1) / 2 * (math.cos(widest) + math.sin(widest)) * _LARGEST_SCALE
    half_window = math.ceil(reach + 1e-3) + 1

    def view_of(photograph):
        extent = tf.shape(photograph, out_type=tf.int64)[:2]
        shorter = tf.reduce_min(extent)
        scale = tf.cast(shorter, tf.float64) / target
        places = tf.cast(extent * target // shorter - size + 1, tf.float64)
        center = (tf.floor(draws[:2] * places) + size / 2) * scale - 0.5
        return _sample(photograph, center, scale * turn, size, half_window)

    shorter = tf.reduce_min(tf.shape(image)[:2])
    return tf.cond(
        tf.cast(shorter, tf.float64) > _LARGEST_SCALE * target,
        lambda: view_of(tf.minimum(resize_shorter_side(image, target, method="area"), 255.0)),
        lambda: view_of(image),
    )


def _turn(angle, sign):
    """The matrix from (y, x) of a view to (y, x) of the photograph, mirrored if sign is -1."""
    cos, sin = tf.cos(angle), tf.sin(angle)
    return tf.stack([[cos, sign * sin], [-sin, sign * cos]])


def _sample(image, center, matrix, size, half_window):
    """The view whose middle is at `center` (y, x), its pixels `matrix` apart."""
    side = 2 * half_window
    extent = tf.shape(image, out_type=tf.int64)[:2]
    first = tf.cast(tf.floor(center), tf.int64) - (half_window - 1)
    first = tf.clip_by_value(first, 0, tf.maximum(extent - side, 0))
    window = image[first[0] : first[0] + side, first[1] : first[1] + side]
    extent = tf.shape(window)[:2]
    # XLA wants constant shapes: the rows follow each other, and zeros follow them.
    values = tf.pad(tf.reshape(window, (-1,)), [[0, 3 * side**2 - tf.size(window)]])
    center = tf.cast(center - tf.cast(first, tf.float64), tf.float32)
    return _bilinear(values, extent, center, tf.cast(matrix, tf.float32), size)


@tf.function(jit_compile=True)
def _bilinear(values, extent, center, matrix, size):
    # Compiled, since no kernel of TensorFlow turns an image in less than four times as long.
    pixels = tf.reshape(values, (-1, 3))
    steps = tf.range(size, dtype=tf.float32) - (size - 1) / 2
    (first_y, part_y), (first_x, part_x) = (
        _neighbors(
            row[0] * steps[:, None] + row[1] * steps + center[axis],
            tf.cast(extent[axis], tf.float32),
        )
        for axis, row in enumerate(tf.unstack(matrix))
    )
    index = first_y * extent[1] + first_x

    def between(index):
        left, right = (tf.cast(tf.gather(pixels, i), tf.float32) for i in (index, index + 1))
        return left + part_x * (right - left)

    upper, lower = between(index), between(index + extent[1])
    return upper + part_y * (lower - upper)


def _neighbors(place, extent):
    """The pixel before each place, reflected at the borders, and the share of the next."""
    place += 0.5
    # Reflections repeat: what counts is how far the nearest repetition of the border is.
    place = tf.abs(place - 2 * extent * tf.round(place * (0.5 / extent)))
    place = tf.clip_by_value(place - 0.5, 0.0, extent - 1)
    first = tf.floor(place)
    return tf.cast(first, tf.int32), (place - first)[..., None]
