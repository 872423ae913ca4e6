"""The first frame of a GIF, cut out before anything is decoded, as a TensorFlow graph.

TensorFlow decodes every frame of a GIF before it gives the first, each at the size that it declares
for itself. What is cut out here holds one frame, and declares its size where the whole GIF's stood.
"""

import tensorflow as tf

_HEADER = 13
_DESCRIPTOR = 10
_EXTENSION, _IMAGE = 0x21, 0x2C
_MAX_BLOCKS = 2**16  # of up to 255 bytes each


def first_frame(encoded):
    """A GIF of the first frame alone.

    Args:
        encoded: scalar string tensor that begins as a GIF does.

    Returns:
        Scalar string tensor, a GIF whose canvas is the frame.

    Raises:
        tf.errors.InvalidArgumentError: when it runs, if the frame is cut off, or longer than 65,536
            blocks.
    """
    contents = tf.io.decode_raw(encoded, tf.uint8)

    def byte(position):
        return tf.cast(contents[position], tf.int32)

    def is_block(position, left):
        return (byte(position) > 0) & (left > 0)

    def next_block(position, left):
        return position + 1 + byte(position), left - 1

    def after_blocks(position, left):
        position, left = tf.while_loop(is_block, next_block, (position, left))
        return position + 1, left

    def is_extension(position, left):
        return (byte(position) == _EXTENSION) & (left > 0)

    def after_extension(position, left):
        return after_blocks(position + 2, left - 1)

    begin = _HEADER + _colours(byte(10))
    frame, left = tf.while_loop(is_extension, after_extension, (begin, tf.constant(_MAX_BLOCKS)))
    pixels = frame + _DESCRIPTOR + _colours(byte(frame + _DESCRIPTOR - 1)) + 1
    end, left = after_blocks(pixels, left)
    with tf.control_dependencies(
        [tf.debugging.assert_equal(byte(frame), _IMAGE), tf.debugging.assert_positive(left)]
    ):
        size = tf.strings.substr(encoded, frame + 5, 4)
    return tf.strings.join(
        [
            tf.strings.substr(encoded, 0, 6),
            size,
            tf.strings.substr(encoded, 10, begin - 10),
            b"\x2c\0\0\0\0",
            tf.strings.substr(encoded, frame + 5, end - frame - 5),
            b"\x3b",
        ]
    )


def _colours(flags):
    """The bytes of a colour table, by the flags of its header."""
    table = tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(flags, 7))
    return tf.where(flags >= 128, table, 0)
