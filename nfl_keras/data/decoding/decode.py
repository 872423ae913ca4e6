"""Defines the TensorFlow graphs that decode a photograph, and how places in it are turned."""

import functools

from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.typing import Tensor

RATIOS = (1, 2, 4, 8)
WHOLE, WEBP = len(RATIOS), len(RATIOS) + 1

# Whether rows and columns are mirrored for the EXIF orientations 1 to 8, after rows and columns are
# exchanged for 5 to 8.
_MIRRORED = 2 * [(False, False), (False, True), (True, True), (True, False)]


def decode(encoded: Tensor, shorter_side: int | None = None) -> tf.Tensor:
    """Decodes bytes that have passed `checked_bytes`.

    A JPEG that is larger than needed is decoded at 1/2, 1/4 or 1/8 of its size, which takes
    libjpeg less time than the whole. `decode` takes the smallest size that leaves at least 15/16
    of `shorter_side` pixels: a view enlarged by 16/15 is hardly softer than a view of the whole
    photograph.

    Args:
        encoded: scalar string tensor.
        shorter_side: int, pixels wanted on the shorter side. Defaults to `None`: all of them.

    Returns:
        uint8 `[H, W, 3]`.

    Example:

    >>> from nfl_keras.data.decoding.decode import decode
    >>> photograph = nfl.data.load("blooms").read(0)
    >>> decode(photograph).shape, decode(photograph, shorter_side=24).shape
    (TensorShape([96, 96, 3]), TensorShape([24, 24, 3]))
    """
    is_webp = tf.strings.regex_full_match(tf.strings.substr(encoded, 0, 12), r"RIFF\C{4}WEBP")
    way: tf.Tensor = tf.where(is_webp, WEBP, WHOLE)
    if shorter_side is not None:
        way = tf.cond(
            tf.io.is_jpeg(encoded),
            lambda: jpeg_way(tf.reduce_min(tf.io.extract_jpeg_shape(encoded)[:2]), shorter_side),
            lambda: way,
        )
    return decode_by(encoded, way)


def jpeg_way(shorter: tf.Tensor, shorter_side: int) -> tf.Tensor:
    """Returns the way by which `decode` decodes a JPEG, for `decode_by`.

    Args:
        shorter: int scalar tensor, pixels on the shorter side of the whole.
        shorter_side: int, pixels wanted there.

    Returns:
        int32 scalar.
    """
    enough = [16 * -(-shorter // ratio) >= 15 * shorter_side for ratio in RATIOS[1:]]
    return tf.reduce_sum(tf.cast(enough, tf.int32))


def decode_by(encoded: Tensor, way: tf.Tensor) -> tf.Tensor:
    """Decodes in a given way: any format whole, or a JPEG at a part of its size.

    Args:
        encoded: scalar string tensor.
        way: int32 scalar tensor, `WHOLE` or, for a JPEG, the result of `jpeg_way`. `WEBP` also
            decodes a transparent WebP, of which TensorFlow refuses to decode three channels.

    Returns:
        uint8 `[H, W, 3]`.
    """
    whole = functools.partial(tf.io.decode_image, encoded, channels=3, expand_animations=False)
    reduced = [
        functools.partial(tf.io.decode_jpeg, encoded, channels=3, ratio=ratio) for ratio in RATIOS
    ]

    def webp() -> tf.Tensor:
        return tf.io.decode_image(encoded, channels=0, expand_animations=False)[..., :3]

    return tf.ensure_shape(tf.switch_case(way, [*reduced, whole, webp]), (None, None, 3))


def exchanged(pair: Tensor, orientation: int | Tensor) -> tf.Tensor:
    """Exchanges what belongs to rows and to columns, `[..., 2]`, for the orientations 5 to 8."""
    pair = tf.convert_to_tensor(pair)
    return tf.where(orientation > 4, pair[..., ::-1], pair)


def as_stored(places: Tensor, room: Tensor, orientation: int | Tensor) -> tf.Tensor:
    """Maps places (y, x) in the upright photograph to places in the photograph as it is stored.

    Args:
        places: `[..., 2]`.
        room: `[2]`, the last place of the upright photograph, which mirroring maps to zero.
        orientation: int scalar, 1 to 8.

    Returns:
        `[..., 2]`, of the dtype of `places`.
    """
    return exchanged(tf.where(mirrored(orientation), room - places, places), orientation)


def mirrored(orientation: int | Tensor) -> tf.Tensor:
    """Tells whether rows and columns are mirrored, bool `[2]`, after they are exchanged."""
    return tf.gather(tf.constant(_MIRRORED, tf.bool), orientation - 1)
