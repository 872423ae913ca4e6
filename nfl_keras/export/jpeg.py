"""The segments of a JPEG before its pixels, as a TensorFlow graph.

Nothing is passed over that libjpeg would look into: where a segment does not begin as one must, the
walk ends, so that nobody can hide one size behind another.
"""

import tensorflow as tf

from nfl_keras.export.chunks import find_chunk
from nfl_keras.export.header_bytes import bytes_at, number, unless

FIRST_SEGMENT = 2

_NOT_FRAMES = 0xC4, 0xC8, 0xCC
_STUFFED, _TEMPORARY, _RESTART, _END, _SCAN = 0x00, 0x01, 0xD0, 0xD9, 0xDA


def frame_size(encoded):
    """The height and width that a JPEG declares.

    Args:
        encoded: scalar string tensor that begins as a JPEG does.

    Returns:
        int64 `[2]`, zeros where no frame is declared before the pixels.
    """
    start = find_chunk(encoded, FIRST_SEGMENT, lambda head: (_is_frame(head), advance(head)))
    head = bytes_at(encoded, start, 9)
    size = tf.stack([number(head[5:7], False), number(head[7:9], False)])
    return unless(start == 0, size)


def advance(head):
    """How far it is from one segment to the next.

    Args:
        head: int64 `[n]`, the first bytes of the segment, four at least.

    Returns:
        int64 scalar; 0 where the pixels begin, or no segment does.
    """
    marker, length = head[1], number(head[2:4], False)
    alone = (marker == _TEMPORARY) | ((marker >= _RESTART) & (marker < _END))
    step = 2 + unless(alone, length)
    # Any number of 0xFF may stand before a marker.
    step = tf.where(marker == 0xFF, tf.ones_like(step), step)
    last = (marker == _STUFFED) | (marker == _END) | (marker == _SCAN)
    return unless((head[0] != 0xFF) | last, step)


def _is_frame(head):
    marker = head[1]
    other = tf.reduce_any(marker == tf.constant(_NOT_FRAMES, tf.int64))
    return (head[0] == 0xFF) & (marker >= 0xC0) & (marker <= 0xCF) & ~other
