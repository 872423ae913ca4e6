"""The orientation in EXIF, in a TensorFlow graph."""

import struct

import tensorflow as tf

from nfl_keras.data.decoding.exif_orientation import EXIF, MAGICS, ORIENTATION, TYPES
from nfl_keras.export.encoded_bytes import bytes_at, equal, number

_KINDS = range(max(TYPES) + 1)
_SIZES = [struct.calcsize("<" + TYPES.get(kind, "")) for kind in _KINDS]
_UNSIGNED_RATIONAL, _RATIONAL = 5, 10


def orientation(exif: tf.Tensor) -> tf.Tensor:
    """Reads how an image must be turned, as `exif_orientation` does.

    Args:
        exif: scalar string.

    Returns:
        int32 scalar from 1 to 8.
    """
    for _ in range(2):
        is_prefixed = equal(bytes_at(exif, 0, len(EXIF)), EXIF)
        length = tf.strings.length(exif)
        start = tf.where(is_prefixed, tf.minimum(len(EXIF), length), 0)
        exif = tf.strings.substr(exif, start, length)
    length = tf.cast(tf.strings.length(exif), tf.int64)
    header = bytes_at(exif, 0, 8)
    little = header[0] == ord("I")
    directory = number(header[4:8], little) + 2
    room = tf.maximum(length - directory, 0) // 12
    count = tf.minimum(number(bytes_at(exif, directory - 2, 2), little), room)
    is_tiff = tf.reduce_any([equal(header[:4], magic) for magic in MAGICS])
    numbers = tf.range(tf.maximum(count, 1))
    entries = tf.reshape(bytes_at(exif, directory, 12 * tf.size(numbers, tf.int64)), (-1, 12))
    kinds = tf.minimum(number(entries[:, 2:4], little), len(_KINDS))
    sizes = tf.gather(tf.constant([*_SIZES, 0], tf.int64), kinds) * number(entries[:, 4:8], little)
    inside = directory + 12 * numbers + 8
    places = tf.where(sizes <= 4, inside, number(entries[:, 8:12], little))
    is_known = is_tiff & (number(entries[:, :2], little) == ORIENTATION) & (sizes > 0)
    found = tf.where(is_known & (numbers < count) & (places + sizes <= length))[:1, 0]
    return tf.cond(
        tf.size(found) > 0,
        lambda: _value(bytes_at(exif, places[found[0]], 8), kinds[found[0]], little),
        lambda: tf.constant(1),
    )


def _value(digits, kind, little):
    """Reads 1 to 8 from bytes `[8]`: the number of which they are the packed form."""
    sizes = {1: 0, 2: 1, 4: 2, 8: 3}
    numbers = tf.stack([number(digits[:size], little) for size in sizes])
    shown = numbers[tf.constant([sizes.get(size, 0) for size in _SIZES])[kind]]
    matches = shown == tf.constant([_packed(kind) for kind in _KINDS], tf.int64)[kind]
    parts = tf.stack([number(digits[:4], little), number(digits[4:], little)])
    signed = parts - tf.where((kind == _RATIONAL) & (parts >= 2**31), 2**32, 0)
    is_rational = ((kind == _UNSIGNED_RATIONAL) | (kind == _RATIONAL)) & (signed[1] != 0)
    matches |= is_rational & (signed[0] == signed[1] * tf.range(1, 9, dtype=tf.int64))
    value = 1 + tf.argmax(matches, output_type=tf.int32)
    return tf.where(tf.reduce_any(matches), value, 1)


def _packed(kind):
    """Returns the packed forms of 1 to 8 as numbers, -1 where there are none."""
    form = TYPES.get(kind, "s")
    if form == "s" or len(form) > 1:
        return [-1] * 8
    return [int.from_bytes(struct.pack("<" + form, value), "little") for value in range(1, 9)]
