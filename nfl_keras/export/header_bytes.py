"""Bytes of an encoded image, and what they stand for, as a TensorFlow graph."""

import tensorflow as tf


def length_of(encoded):
    """How many bytes a scalar string tensor holds, int64."""
    return tf.cast(tf.strings.length(encoded), tf.int64)


def part(encoded, start, end=None):
    """The bytes from one position to another, as far as there are any.

    Args:
        encoded: scalar string tensor.
        start: int, or int64 scalar.
        end: int, or int64 scalar, not below `start`. Defaults to `None`, the end of all.

    Returns:
        Scalar string tensor.
    """
    length = length_of(encoded)
    start = tf.minimum(tf.cast(start, tf.int64), length)
    end = length if end is None else tf.cast(end, tf.int64)
    return tf.strings.substr(encoded, start, end - start)


def bytes_at(encoded, position, count):
    """Bytes from a position on, zeros where there are none.

    Args:
        encoded: scalar string tensor.
        position: int, or int64 scalar.
        count: int.

    Returns:
        int64 `[count]`.
    """
    found = part(encoded, position, position + count)
    return tf.cast(tf.io.decode_raw(found, tf.uint8, fixed_length=count), tf.int64)


def number(digits, little=True):
    """The unsigned numbers that bytes stand for.

    Args:
        digits: int64 `[..., n]`.
        little: bool, or bool scalar: whether the first byte counts least. Defaults to `True`.

    Returns:
        int64 `[...]`.
    """
    places = [256**place for place in range(digits.shape[-1])]
    weights = tf.where(little, tf.constant(places, tf.int64), tf.constant(places[::-1], tf.int64))
    return tf.reduce_sum(digits * weights, axis=-1)


def equal(digits, magic):
    """Whether bytes, int64 `[n]`, are those of a `bytes` of length n."""
    return tf.reduce_all(digits == tf.constant(list(magic), tf.int64))


def unless(condition, values):
    """The values, zeros where the condition holds."""
    return tf.where(condition, tf.zeros_like(values), values)
