"""Defines the geometry of training views, as a TensorFlow graph for tf.data."""

import math

from nfl_keras.data.decoding.decode import as_stored, exchanged
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.resize_shorter_side import resize_shorter_side, resized_extent
from nfl_keras.typing import Tensor

# A photograph whose shorter side is at most this many times the one wanted is not reduced first.
_LARGEST_SCALE = 16 / 15
# Of a photograph that is longer than the first, as a multiple of its shorter side, only a part as
# long as the second is reduced.
_LONGEST, _PART = 16, 4


def shorter_side(size: int) -> int:
    """Returns the shorter side that [NIFL] crops views from: 256 pixels for views of 224."""
    return round(size * 256 / 224)


def augment(
    image: Tensor,
    size: int,
    seed: Tensor,
    max_rotation: float = 15.0,
    mirror: bool = True,
    orientation: int | Tensor = 1,
) -> tf.Tensor:
    """Returns a random training view of a photograph.

    The order is [NIFL]'s: it resizes the shorter side to `shorter_side(size)`, crops a `size`
    square at random, turns it about its center by up to `max_rotation` degrees, and mirrors half
    of the views. One bilinear sampling of the photograph does all of this. The corners of a turned
    crop therefore show the photograph, or beyond its border the reflection (the border pixel
    comes twice). A photograph larger than 16/15 of the wanted size is first reduced by averaging
    areas.

    The paper mirrors after it changes colors, and `balanced_batches` changes colors after this
    function. The result is the same where a change maps the color of each pixel alike.

    Args:
        image: `[H, W, 3]`, pixels in 0..255, of any size from 1 x 1, as they are stored.
        size: int, side of the view in pixels.
        seed: int `[2]`. The same seed gives the same view, bit for bit.
        max_rotation: float, degrees. Defaults to `15.0`.
        mirror: bool, whether half of the views are mirrored. Defaults to `True`.
        orientation: int scalar, of EXIF, 1 to 8. Defaults to `1`.

    Returns:
        float32 `[size, size, 3]`, in 0..255, a view of the upright photograph.

    Example:

    >>> from nfl_keras.data.views.augment import augment
    >>> augment(tf.zeros((60, 90, 3)), size=28, seed=(0, 1)).shape
    TensorShape([28, 28, 3])

    Reference: [NIFL], doi 10.1038/s41598-025-97528-9.
    """
    image, target = tf.convert_to_tensor(image), shorter_side(size)
    draws = tf.cast(tf.random.stateless_uniform((4,), seed), tf.float64)
    angle = (2 * draws[2] - 1) * math.radians(max_rotation)
    sign = tf.where(draws[3] < 0.5, -1.0, 1.0) if mirror else 1.0
    turn = _turn(angle, tf.cast(sign, tf.float64))
    turn = tf.transpose(as_stored(tf.transpose(turn), 0.0, orientation))
    # A window of this half side holds every pixel that a turned view can sample.
    widest = math.radians(min(max_rotation, 45.0))
    reach = (size - 1) / 2 * (math.cos(widest) + math.sin(widest)) * _LARGEST_SCALE
    half_window = math.ceil(reach + 1e-3) + 1

    extent = tf.shape(image, out_type=tf.int64)[:2]
    shorter = tf.cast(tf.reduce_min(extent), tf.float64)

    def center_in(extent: tf.Tensor) -> tf.Tensor:
        extent = exchanged(extent, orientation)
        shorter = tf.reduce_min(extent)
        places = tf.cast(extent * target // shorter - size + 1, tf.float64)
        scale = tf.cast(shorter, tf.float64) / target
        center = (tf.floor(draws[:2] * places) + size / 2) * scale - 0.5
        return as_stored(center, tf.cast(extent - 1, tf.float64), orientation)

    def of_reduced() -> tf.Tensor:
        reduced, center = _reduced(image, target, center_in(resized_extent(extent, target)))
        return _sample(reduced, center, turn, size, half_window)

    return tf.cond(
        shorter > _LARGEST_SCALE * target,
        of_reduced,
        lambda: _sample(image, center_in(extent), shorter / target * turn, size, half_window),
    )


def _reduced(image: tf.Tensor, target: int, center: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reduces a photograph, or the part of a long one that holds the view, and moves its middle."""
    extent = tf.shape(image, out_type=tf.int64)[:2]
    shorter = tf.reduce_min(extent)
    scale = tf.cast(shorter, tf.float64) / target
    part = tf.where(extent > _LONGEST * shorter, _PART * shorter, extent)
    # It begins with a pixel of the reduced whole, but for the fraction of a pixel.
    first = tf.cast((tf.floor(center) - _PART * target // 2) * scale, tf.int64)
    first = tf.clip_by_value(first, 0, extent - part)
    last = first + part
    reduced = resize_shorter_side(image[first[0] : last[0], first[1] : last[1]], target, "area")
    return tf.minimum(reduced, 255.0), center - tf.cast(first, tf.float64) / scale


def _turn(angle: tf.Tensor, sign: tf.Tensor) -> tf.Tensor:
    """Returns the matrix from (y, x) of a view to (y, x) of the photograph; -1 mirrors."""
    cos, sin = tf.cos(angle), tf.sin(angle)
    return tf.stack([[cos, sign * sin], [-sin, sign * cos]])


def _sample(
    image: tf.Tensor, center: tf.Tensor, matrix: tf.Tensor, size: int, half_window: int
) -> tf.Tensor:
    """Samples the view whose middle is at `center` (y, x) and whose pixels are `matrix` apart."""
    side = 2 * half_window
    extent = tf.shape(image, out_type=tf.int64)[:2]
    first = tf.cast(tf.floor(center), tf.int64) - (half_window - 1)
    first = tf.clip_by_value(first, 0, tf.maximum(extent - side, 0))
    window = image[first[0] : first[0] + side, first[1] : first[1] + side]
    extent = tf.shape(window)[:2]
    # XLA needs constant shapes: the rows come one after the other, then zeros.
    values = tf.pad(tf.reshape(window, (-1,)), [[0, 3 * side**2 - tf.size(window)]])
    center = tf.cast(center - tf.cast(first, tf.float64), tf.float32)
    return _bilinear(values, extent, center, tf.cast(matrix, tf.float32), size)


@tf.function(jit_compile=True)
def _bilinear(
    values: tf.Tensor, extent: tf.Tensor, center: tf.Tensor, matrix: tf.Tensor, size: int
) -> tf.Tensor:
    # Compiled, since every kernel of TensorFlow that turns images takes four times as long.
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

    def between(index: tf.Tensor) -> tf.Tensor:
        left, right = (tf.cast(tf.gather(pixels, i), tf.float32) for i in (index, index + 1))
        return left + part_x * (right - left)

    upper, lower = between(index), between(index + extent[1])
    return upper + part_y * (lower - upper)


def _neighbors(place: tf.Tensor, extent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the pixel before each place, reflected at the borders, and the next one's share."""
    place += 0.5
    # Reflections repeat, so that only the distance to the nearest repeated border matters.
    place = tf.abs(place - 2 * extent * tf.round(place * (0.5 / extent)))
    place = tf.clip_by_value(place - 0.5, 0.0, extent - 1)
    first = tf.floor(place)
    return tf.cast(first, tf.int32), (place - first)[..., None]
