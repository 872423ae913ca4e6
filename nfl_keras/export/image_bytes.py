"""The bytes of an encoded image as int64 numbers, and its chunks, in a TensorFlow graph.

`encoded` is a scalar string tensor. Positions are ints or int64 scalars and count from 0.
"""

from collections.abc import Callable

import tensorflow as tf

MAX_CHUNKS = 1024
_CHUNK_HEAD = 16


def bytes_at(encoded: tf.Tensor, position: int | tf.Tensor, count: int) -> tf.Tensor:
    """Reads `count` bytes, int64 `[count]`, with zeros for missing ones."""
    position = tf.minimum(tf.cast(position, tf.int64), _length(encoded))
    found = tf.strings.substr(encoded, position, tf.constant(count, tf.int64))
    return tf.cast(tf.io.decode_raw(found, tf.uint8, fixed_length=count), tf.int64)


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


def find_chunk(
    encoded: tf.Tensor, first: int, look: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
) -> tf.Tensor:
    """Finds where the first chunk of a kind begins: int64 scalar, 0 without one.

    The search begins at `first`, above 0, and ends after `MAX_CHUNKS` chunks. `look` is given the
    first 16 bytes of a chunk. It returns whether the chunk is of the kind, and the distance to the
    next chunk, 0 if there is none.
    """
    length = _length(encoded)

    def is_open(position, found):
        return (found == 0) & (position < length)

    def step(position, found):
        is_it, advance = look(bytes_at(encoded, position, _CHUNK_HEAD))
        return tf.where(advance > 0, position + advance, length), tf.where(is_it, position, found)

    start = tf.constant(first, tf.int64), tf.constant(0, tf.int64)
    return tf.while_loop(is_open, step, start, maximum_iterations=MAX_CHUNKS)[1]


def _length(encoded: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(encoded), tf.int64)
