"""The format and the size of encoded images, in a TensorFlow graph.

Nothing is decoded here: a few kilobytes can declare more pixels than a machine has memory for.
The formats are told apart by the rules of TensorFlow's decoder, so that a size is read by the rules
of the format that is decoded afterwards. What the decoder misreads (BMP with a palette, compressed
BMP) and what is not checked here (JPEG XL) is unknown. GIF and animated WebP are not decoded, since
TensorFlow 2.21 decodes all frames of a GIF at the sizes that they declare for themselves, and an
animated WebP makes it write past the end of its memory.

`encoded` is a scalar string tensor. Its bytes are int64 numbers, and positions count from 0.
"""

from collections.abc import Callable

import tensorflow as tf

JPEG, PNG, WEBP, BMP, ANIMATED_WEBP, GIF, UNKNOWN = range(7)
FIRST_JPEG_SEGMENT = 2
MAX_CHUNKS = 1024

_HEAD, _CHUNK_HEAD = 64, 16  # bytes, more than each of these headers has
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
    """Reads the declared height and width, int64 `[2]`, zeros if no size can be read."""
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
    # Any number of 0xFF may stand before a marker.
    step = tf.where(marker == 0xFF, tf.ones_like(length), 2 + unless(alone, length))
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
    """Finds where the first chunk of a kind begins: int64 scalar, 0 if not in `MAX_CHUNKS`.

    `look` takes the first 16 bytes of a chunk. It returns whether the chunk is of the kind, and
    the distance to the next chunk, 0 if there is none. The position `first` is above 0.
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
