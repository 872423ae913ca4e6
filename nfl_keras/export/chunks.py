"""A walk along the chunks of an encoded image, as a TensorFlow graph."""

import tensorflow as tf

from nfl_keras.export.header_bytes import bytes_at, length_of

MAX_CHUNKS = 1024
_HEAD = 16


def find_chunk(encoded, first, look):
    """Where the first chunk of a kind begins.

    Args:
        encoded: scalar string tensor.
        first: int, where the first chunk of any kind begins, above 0.
        look: Function from the first 16 bytes of a chunk, int64 `[16]`, to whether it is of the
            kind, and int64, how far it is to the next; 0 if there is none.

    Returns:
        int64 scalar; 0 if there is none among the first `MAX_CHUNKS`.
    """
    length = length_of(encoded)

    def goes_on(position, found, left):
        return (found == 0) & (position < length) & (left > 0)

    def step(position, found, left):
        is_it, advance = look(bytes_at(encoded, position, _HEAD))
        found = tf.where(is_it, position, found)
        return position + advance, found, tf.where(advance > 0, left - 1, 0)

    state = tf.constant(first, tf.int64), tf.constant(0, tf.int64), tf.constant(MAX_CHUNKS)
    return tf.while_loop(goes_on, step, state)[1]
