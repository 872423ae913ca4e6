"""The pixels of a WebP without what goes with them, as a TensorFlow graph.

TensorFlow 2.21 writes past the end of its memory when it decodes an animated WebP to its first
frame, and refuses three channels of one that has four. What is made here is neither animated nor
transparent.
"""

import tensorflow as tf

from nfl_keras.export.chunks import find_chunk
from nfl_keras.export.header_bytes import bytes_at, equal, number, part

_RIFF_HEADER, _CHUNK_HEADER, _FRAME_HEADER = 12, 8, 16

# In the chunk of lossless pixels: the byte with the flag of transparency; each byte without it.
_FLAGS = 12
_OPAQUE = [bytes([flags & ~0x10]) for flags in range(256)]


def still_image(encoded):
    """A WebP that begins with the pixels of the first frame.

    The rest of the file follows them, where decoders do not look for pixels: so its length is the
    one that its header declares.

    Args:
        encoded: scalar string tensor that begins as a WebP does.

    Returns:
        Scalar string tensor, empty if there are no pixels among the first chunks.
    """
    start = find_chunk(encoded, _RIFF_HEADER, _look)
    flags = start + _FLAGS
    lossless = equal(bytes_at(encoded, start, 4), b"VP8L")
    opaque = tf.gather(_OPAQUE, bytes_at(encoded, flags, 1)[0])
    pieces = [
        part(encoded, 0, _RIFF_HEADER),
        part(encoded, start, flags),
        tf.where(lossless, opaque, part(encoded, flags, flags + 1)),
        part(encoded, flags + 1),
        part(encoded, _RIFF_HEADER, start),
    ]
    return tf.where(start > 0, tf.strings.join(pieces), b"")


def _look(head):
    """The pixels, and the way to the next chunk; those of a frame are inside of it."""
    kind, length = head[:4], number(head[4:8])
    frame = tf.constant(_FRAME_HEADER, tf.int64)
    inside = tf.where(equal(kind, b"ANMF"), frame, length + length % 2)
    return equal(kind, b"VP8 ") | equal(kind, b"VP8L"), _CHUNK_HEADER + inside
