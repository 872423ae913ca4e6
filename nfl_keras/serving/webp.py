"""The pixels of a WebP without what goes with them, as a TensorFlow graph.

TensorFlow 2.21 writes past the end of its memory when it decodes an animated WebP to its first
frame, and refuses three channels of one that has four. What is made here is neither animated nor,
unless it is lossless, transparent.
"""

import tensorflow as tf

from nfl_keras.serving.header_bytes import bytes_at, equal, number

_RIFF_HEADER, _CHUNK_HEADER, _FRAME_HEADER = 12, 8, 16
_MAX_CHUNKS = 64


def still_image(encoded):
    """A WebP that begins with the pixels of the first frame.

    The rest of the file follows them, where decoders do not look for pixels: so its length is the
    one that its header declares.

    Args:
        encoded: scalar string tensor that begins as a WebP does.

    Returns:
        Scalar string tensor.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, if there are no pixels among the first 64
            chunks.
    """

    def kind_at(position):
        return bytes_at(encoded, position, 4)

    def is_pixels(position):
        kind = kind_at(position)
        return equal(kind, b"VP8 ") | equal(kind, b"VP8L")

    def is_other(position, left):
        return ~is_pixels(position) & (left > 0)

    def next_chunk(position, left):
        length = number(bytes_at(encoded, position + 4, 4))
        # The chunks of a frame are inside of it.
        length = tf.where(
            equal(kind_at(position), b"ANMF"),
            tf.constant(_FRAME_HEADER, tf.int64),
            length + length % 2,
        )
        return position + _CHUNK_HEADER + length, left - 1

    first = tf.constant(_RIFF_HEADER, tf.int64), tf.constant(_MAX_CHUNKS)
    found, _ = tf.while_loop(is_other, next_chunk, first)
    with tf.control_dependencies([tf.debugging.Assert(is_pixels(found), ["no pixels"])]):
        start = tf.cast(found, tf.int32)
    return tf.strings.join(
        [
            tf.strings.substr(encoded, 0, _RIFF_HEADER),
            tf.strings.substr(encoded, start, tf.strings.length(encoded)),
            tf.strings.substr(encoded, _RIFF_HEADER, start - _RIFF_HEADER),
        ]
    )
