"""Bytes of encoded images and the numbers in them, in a TensorFlow graph.

`encoded` is a scalar string tensor. Its bytes are int64 numbers, and positions count from 0.
"""

import tensorflow as tf


def bytes_at(encoded: tf.Tensor, position: int | tf.Tensor, count: int | tf.Tensor) -> tf.Tensor:
    """Reads `count` bytes, int64 `[count]`, with zeros for missing ones."""
    return tf.cast(raw_bytes_at(encoded, position, count), tf.int64)


def raw_bytes_at(
    encoded: tf.Tensor, position: int | tf.Tensor, count: int | tf.Tensor
) -> tf.Tensor:
    """Reads `count` bytes, uint8 `[count]`, with zeros for missing ones."""
    position = tf.minimum(tf.cast(position, tf.int64), length_of(encoded))
    found = tf.strings.substr(encoded, position, tf.cast(count, tf.int64))
    return tf.io.decode_raw(found, tf.uint8, fixed_length=tf.cast(count, tf.int32))


def number(digits: tf.Tensor, little: bool | tf.Tensor = True) -> tf.Tensor:
    """Reads unsigned numbers from bytes `[..., n]`, by default with the first counting least."""
    places = [256**place for place in range(digits.shape[-1])]
    weights = tf.where(little, tf.constant(places, tf.int64), tf.constant(places[::-1], tf.int64))
    return tf.reduce_sum(digits * weights, axis=-1)


def equal(digits: tf.Tensor, magic: bytes) -> tf.Tensor:
    """Compares bytes `[n]` with a `bytes` of length n."""
    return tf.reduce_all(digits == tf.constant(list(magic), tf.int64))


def unless(condition: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Returns the values, with zeros where the condition holds."""
    return tf.where(condition, tf.zeros_like(values), values)


def length_of(encoded: tf.Tensor) -> tf.Tensor:
    """Counts bytes: int64 scalar."""
    return tf.cast(tf.strings.length(encoded), tf.int64)
