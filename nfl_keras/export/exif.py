"""The EXIF orientation of a JPEG, PNG or WebP, in a TensorFlow graph."""

import functools

import tensorflow as tf

from nfl_keras.export import formats
from nfl_keras.export.formats import bytes_at, equal, find_chunk, number, unless

_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4
_PREFIX, _MAX_ENTRIES = b"Exif\0\0", 64


def orientation(encoded: tf.Tensor, image_format: tf.Tensor) -> tf.Tensor:
    """Reads how an image must be turned, int32 from 1 to 8; 1 if there is no valid orientation.

    The search ends after the first chunks, and before the pixels of a JPEG or PNG.
    """
    chunks = {
        formats.JPEG: (formats.FIRST_JPEG_SEGMENT, 4, _jpeg_exif),
        formats.PNG: (8, 8, _png_exif),
        formats.WEBP: (12, 8, _webp_exif),
    }

    def content_of(first, header, look):
        chunk = find_chunk(encoded, first, look)
        return unless(chunk == 0, chunk + header)

    starts = {key: functools.partial(content_of, *how) for key, how in chunks.items()}
    start = tf.switch_case(image_format, starts, default=lambda: tf.constant(0, tf.int64))
    return tf.cond(start > 0, lambda: _orientation_at(encoded, start), lambda: tf.constant(1))


def _jpeg_exif(head):
    return (head[1] == 0xE1) & equal(head[4:10], _PREFIX), formats.next_jpeg_segment(head)


def _png_exif(head):
    kind, length = head[4:8], number(head[:4], False)
    return equal(kind, b"eXIf"), unless(equal(kind, b"IDAT"), 12 + length)


def _webp_exif(head):
    length = number(head[4:8])
    return equal(head[:4], b"EXIF"), 8 + length + length % 2


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
