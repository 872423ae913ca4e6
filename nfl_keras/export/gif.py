"""The first frame of a GIF, cut out before anything is decoded, as a TensorFlow graph.

TensorFlow decodes every frame of a GIF before it gives the first, each at the size that it declares
for itself. What is cut out here holds one frame, and declares its size where the whole GIF's stood.
"""

import tensorflow as tf

from nfl_keras.export.header_bytes import part

_HEADER = 13
_DESCRIPTOR = 10
_EXTENSION, _IMAGE = 0x21, 0x2C
_MAX_EXTENSIONS = 1024
_MAX_BYTES = 2**23


def first_frame(encoded):
    """A GIF of the first frame alone.

    Args:
        encoded: scalar string tensor that begins as a GIF does.

    Returns:
        Scalar string tensor, a GIF whose canvas is the frame; empty if the frame is cut off, or
        does not end within the first 8 MiB.
    """
    contents = tf.cast(tf.io.decode_raw(part(encoded, 0, _MAX_BYTES), tf.uint8), tf.int32)
    length = tf.size(contents)
    ends = _ends_of_blocks(contents)

    def byte(position):
        return tf.where(position < length, contents[tf.minimum(position, length - 1)], 0)

    def is_extension(position, left):
        return (byte(position) == _EXTENSION) & (left > 0)

    def after_extension(position, left):
        return ends[tf.minimum(position + 2, length)] + 1, left - 1

    begin = _HEADER + _colors(byte(10))
    state = begin, tf.constant(_MAX_EXTENSIONS)
    frame, _ = tf.while_loop(is_extension, after_extension, state)
    pixels = frame + _DESCRIPTOR + _colors(byte(frame + _DESCRIPTOR - 1)) + 1
    end = ends[tf.minimum(pixels, length)]
    pieces = [
        part(encoded, 0, 6),
        part(encoded, frame + 5, frame + 9),
        part(encoded, 10, begin),
        b"\x2c\0\0\0\0",
        part(encoded, frame + 5, end + 1),
        b"\x3b",
    ]
    whole = (byte(frame) == _IMAGE) & (end < length)
    return tf.where(whole, tf.strings.join(pieces), b"")


def _colors(flags):
    """The bytes of a color table, by the flags of its header."""
    table = tf.bitwise.left_shift(6, tf.bitwise.bitwise_and(flags, 7))
    return tf.where(flags >= 128, table, 0)


def _ends_of_blocks(contents):
    """Where the blocks that begin at each position end.

    A block is a byte that says how many more follow, and a block of none is the last. From each
    position to the next block, then to the one after it, the fourth, the eighth: the steps of a
    file of a million blocks are twenty.

    Args:
        contents: int32 `[L]`, the bytes.

    Returns:
        int32 `[L + 1]`, the position of the last block's only byte; L where there is none.
    """
    length = tf.size(contents)
    positions = tf.range(length)
    following = tf.where(contents > 0, positions + 1 + contents, positions)
    following = tf.concat([tf.minimum(following, length), [length]], 0)
    return tf.while_loop(
        lambda blocks, _: blocks < length,
        lambda blocks, reached: (2 * blocks, tf.gather(reached, reached)),
        (1, following),
    )[1]
