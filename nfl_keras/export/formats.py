"""The format and the size of encoded images, in a TensorFlow graph.

Nothing is decoded here: a few kilobytes can declare more pixels than a machine has memory for.
The formats are told apart by the rules of TensorFlow's decoder, so that a size is read by the rules
of the format that is decoded afterwards. What the decoder misreads (BMP with a palette, compressed
BMP) and what is not checked here (JPEG XL) is unknown. GIF and animated WebP are not decoded, since
TensorFlow 2.21 decodes all frames of a GIF at the sizes that they declare for themselves, and an
animated WebP makes it write past the end of its memory.
"""

import tensorflow as tf

from nfl_keras.export.image_bytes import bytes_at, equal, find_chunk, number, unless

JPEG, PNG, WEBP, BMP, ANIMATED_WEBP, GIF, UNKNOWN = range(7)
FIRST_JPEG_SEGMENT = 2

_HEAD = 64  # bytes, more than each of these headers has

_NO_JPEG_FRAMES = 0xC4, 0xC8, 0xCC
_STUFFED, _TEMPORARY, _RESTART, _END, _SCAN = 0x00, 0x01, 0xD0, 0xD9, 0xDA


def format_of(encoded: tf.Tensor) -> tf.Tensor:
    """Tells the format of an image: int32 scalar, `JPEG` to `UNKNOWN`."""
    head = bytes_at(encoded, 0, _HEAD)
    depth, compression = number(head[28:30]), number(head[30:34])
    plain_bmp = (number(head[14:18]) >= 40) & ((depth == 24) | (depth == 32)) & (compression == 0)
    is_webp = equal(head[:4], b"RIFF") & equal(head[8:12], b"WEBP")
    is_animated = equal(head[12:16], b"VP8X") & (head[20] // 2 % 2 == 1)
    matches = [
        equal(head[:3], b"\xff\xd8\xff"),
        equal(head[:8], b"\x89PNG\r\n\x1a\n"),
        is_webp & ~is_animated,
        equal(head[:2], b"BM") & plain_bmp,
        is_webp,
        equal(head[:4], b"GIF8"),
        tf.constant(True),
    ]
    return tf.argmax(tf.stack(matches), output_type=tf.int32)


def declared_size(encoded: tf.Tensor, image_format: tf.Tensor) -> tf.Tensor:
    """Reads the declared height and width, int64 `[2]`, zeros if no size can be read.

    `image_format` is the result of `format_of`.
    """
    head = bytes_at(encoded, 0, _HEAD)
    bmp_height = number(head[22:26])
    sizes = {
        JPEG: lambda: jpeg_size(encoded),
        PNG: lambda: tf.stack([number(head[20:24], False), number(head[16:20], False)]),
        WEBP: lambda: _webp_size(head),
        BMP: lambda: tf.stack([tf.minimum(bmp_height, 2**32 - bmp_height), number(head[18:22])]),
    }
    return tf.switch_case(image_format, sizes, default=lambda: tf.zeros(2, tf.int64))


def jpeg_size(encoded: tf.Tensor) -> tf.Tensor:
    """Reads the declared height and width of a JPEG, zeros without a frame before the pixels."""
    start = find_chunk(encoded, FIRST_JPEG_SEGMENT, _jpeg_frame)
    head = bytes_at(encoded, start, 9)
    size = tf.stack([number(head[5:7], False), number(head[7:9], False)])
    return unless(start == 0, size)


def next_jpeg_segment(head: tf.Tensor) -> tf.Tensor:
    """Computes the distance from a segment to the next, 0 where the pixels or no segment begin.

    Only what libjpeg skips is skipped, so that one size cannot hide behind another.
    """
    marker, length = head[1], number(head[2:4], False)
    alone = (marker == _TEMPORARY) | ((marker >= _RESTART) & (marker < _END))
    step = 2 + unless(alone, length)
    # Any number of 0xFF may stand before a marker.
    step = tf.where(marker == 0xFF, tf.ones_like(step), step)
    last = (marker == _STUFFED) | (marker == _END) | (marker == _SCAN)
    return unless((head[0] != 0xFF) | last, step)


def _jpeg_frame(head: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    marker = head[1]
    other = tf.reduce_any(marker == tf.constant(_NO_JPEG_FRAMES, tf.int64))
    is_frame = (head[0] == 0xFF) & (marker >= 0xC0) & (marker <= 0xCF) & ~other
    return is_frame, next_jpeg_segment(head)


def _webp_size(head: tf.Tensor) -> tf.Tensor:
    bits = number(head[21:25])
    lossless = tf.stack([1 + bits // 2**14 % 2**14, 1 + bits % 2**14])
    lossy = tf.stack([number(head[28:30]), number(head[26:28])]) % 2**14
    canvas = tf.stack([1 + number(head[27:30]), 1 + number(head[24:27])])
    other = tf.where(equal(head[12:16], b"VP8X"), canvas, tf.zeros_like(canvas))
    other = tf.where(equal(head[12:16], b"VP8 "), lossy, other)
    return tf.where(equal(head[12:16], b"VP8L"), lossless, other)
