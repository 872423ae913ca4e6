"""The EXIF orientation of a JPEG, PNG or WebP, as a TensorFlow graph."""

import tensorflow as tf

from nfl_keras.serving.formats import JPEG, PNG, WEBP
from nfl_keras.serving.header_bytes import bytes_at, equal, number

_ORIENTATION, _SHORT = 0x0112, 3
_PREFIX = b"Exif\0\0"
_MAX_CHUNKS = 64
_MAX_ENTRIES = 64


def orientation(encoded, image_format):
    """How an image is to be turned to stand upright.

    The first 64 chunks are looked through, of a PNG those before its pixels.

    Args:
        encoded: scalar string tensor.
        image_format: int32 scalar, as `format_of` gives it.

    Returns:
        int32 scalar from 1 to 8; 1 where there is no EXIF orientation, or none of these.
    """
    starts = {
        JPEG: lambda: _find(encoded, 2, _jpeg_segment),
        PNG: lambda: _find(encoded, 8, _png_chunk),
        WEBP: lambda: _find(encoded, 12, _webp_chunk),
    }
    start = tf.switch_case(image_format, starts, default=lambda: tf.constant(0, tf.int64))
    return tf.cond(start > 0, lambda: _orientation_at(encoded, start), lambda: tf.constant(1))


# ---- chunks: is this one EXIF, how long is its header, how far is the next (0: no further) ----


def _jpeg_segment(head):
    marker, length = head[1], number(head[2:4], False)
    is_exif = (marker == 0xE1) & equal(head[4:10], _PREFIX)
    alone = (marker == 0x01) | ((marker >= 0xD0) & (marker <= 0xD7))
    advance = 2 + _unless(alone, length)
    advance = tf.where(marker == 0xFF, tf.ones_like(advance), advance)
    return is_exif, 4, _unless((head[0] != 0xFF) | (marker == 0xDA) | (marker == 0xD9), advance)


def _png_chunk(head):
    kind, length = head[4:8], number(head[:4], False)
    return equal(kind, b"eXIf"), 8, _unless(equal(kind, b"IDAT"), 12 + length)


def _webp_chunk(head):
    length = number(head[4:8], True)
    return equal(head[:4], b"EXIF"), 8, 8 + length + length % 2


def _find(encoded, first, read):
    """Where EXIF begins, or 0."""

    def goes_on(position, start, left):
        return (start == 0) & (position < _length(encoded)) & (left > 0)

    def look(position, start, left):
        is_exif, header, advance = read(bytes_at(encoded, position, 16))
        start = tf.where(is_exif, position + header, start)
        return position + advance, start, tf.where(advance > 0, left - 1, 0)

    state = tf.constant(first, tf.int64), tf.constant(0, tf.int64), tf.constant(_MAX_CHUNKS)
    return tf.while_loop(goes_on, look, state)[1]


# ---- the directory within ----


def _orientation_at(encoded, start):
    prefixed = equal(bytes_at(encoded, start, 6), _PREFIX)
    start += 6 * tf.cast(prefixed, tf.int64)
    header = bytes_at(encoded, start, 8)
    little = equal(header[:4], b"II*\0")
    directory = start + number(header[4:8], little)
    count = number(bytes_at(encoded, directory, 2), little)
    entries = tf.reshape(bytes_at(encoded, directory + 2, 12 * _MAX_ENTRIES), (-1, 12))
    matches = (
        (little | equal(header[:4], b"MM\0*"))
        & (tf.range(_MAX_ENTRIES, dtype=tf.int64) < count)
        & (number(entries[:, :2], little) == _ORIENTATION)
        & (number(entries[:, 2:4], little) == _SHORT)
        & (number(entries[:, 4:8], little) == 1)
    )
    values = _unless(~matches, number(entries[:, 8:10], little))
    value = tf.cast(values[tf.argmax(matches)], tf.int32)
    return tf.where((value >= 1) & (value <= 8), value, 1)


def _length(encoded):
    return tf.cast(tf.strings.length(encoded), tf.int64)


def _unless(condition, values):
    return tf.where(condition, tf.zeros_like(values), values)
