"""The EXIF orientation of a JPEG, PNG or WebP, as a TensorFlow graph."""

import tensorflow as tf

from nfl_keras.export.chunks import find_chunk
from nfl_keras.export.formats import JPEG, PNG, WEBP
from nfl_keras.export.header_bytes import bytes_at, equal, number, unless
from nfl_keras.export.jpeg import FIRST_SEGMENT, advance

_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4
_PREFIX = b"Exif\0\0"
_MAX_ENTRIES = 64


def orientation(encoded, image_format):
    """How an image is to be turned to stand upright.

    The first chunks are looked through, of a JPEG and a PNG those before its pixels.

    Args:
        encoded: scalar string tensor.
        image_format: int32 scalar, as `format_of` gives it.

    Returns:
        int32 scalar from 1 to 8; 1 where there is no EXIF orientation, or none of these.
    """
    starts = {
        JPEG: lambda: _inside(find_chunk(encoded, FIRST_SEGMENT, _jpeg_segment), 4),
        PNG: lambda: _inside(find_chunk(encoded, 8, _png_chunk), 8),
        WEBP: lambda: _inside(find_chunk(encoded, 12, _webp_chunk), 8),
    }
    start = tf.switch_case(image_format, starts, default=lambda: tf.constant(0, tf.int64))
    return tf.cond(start > 0, lambda: _orientation_at(encoded, start), lambda: tf.constant(1))


def _inside(chunk, header):
    return tf.where(chunk > 0, chunk + header, chunk)


# ---- chunks: is this one EXIF, and how far is the next (0: no further) ----


def _jpeg_segment(head):
    return (head[1] == 0xE1) & equal(head[4:10], _PREFIX), advance(head)


def _png_chunk(head):
    kind, length = head[4:8], number(head[:4], False)
    return equal(kind, b"eXIf"), unless(equal(kind, b"IDAT"), 12 + length)


def _webp_chunk(head):
    length = number(head[4:8])
    return equal(head[:4], b"EXIF"), 8 + length + length % 2


# ---- the directory within ----


def _orientation_at(encoded, start):
    prefixed = equal(bytes_at(encoded, start, 6), _PREFIX)
    start += 6 * tf.cast(prefixed, tf.int64)
    header = bytes_at(encoded, start, 8)
    little = equal(header[:4], b"II*\0")
    directory = start + number(header[4:8], little)
    count = number(bytes_at(encoded, directory, 2), little)
    entries = tf.reshape(bytes_at(encoded, directory + 2, 12 * _MAX_ENTRIES), (-1, 12))
    kinds = number(entries[:, 2:4], little)
    matches = (
        (little | equal(header[:4], b"MM\0*"))
        & (tf.range(_MAX_ENTRIES, dtype=tf.int64) < count)
        & (number(entries[:, :2], little) == _ORIENTATION)
        & ((kinds == _SHORT) | (kinds == _LONG))
        & (number(entries[:, 4:8], little) == 1)
    )
    shorts, longs = (number(entries[:, 8:end], little) for end in (10, 12))
    values = unless(~matches, tf.where(kinds == _SHORT, shorts, longs))
    value = values[tf.argmax(matches)]
    return tf.cast(tf.where((value >= 1) & (value <= 8), value, 1), tf.int32)
