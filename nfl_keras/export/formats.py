"""The format, the size, the EXIF and the memory of encoded images, in a TensorFlow graph.

It reads what `nfl_keras.data.decoding.read_header` reads, by the same rules. TensorFlow Serving
runs no Python, and training waits for no graph: walking in one takes a hundred times as long.
Nothing is decoded here: a few kilobytes can declare more pixels than a machine has memory for.
`encoded` is a scalar string tensor.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from nfl_keras.data.decoding.exif_orientation import EXIF
from nfl_keras.data.decoding.jpeg_header import MAX_SEGMENTS
from nfl_keras.data.decoding.read_header import (
    ANIMATION,
    BMP,
    HAS_EXIF,
    JPEG,
    PNG,
    RARE_MAGICS,
    WEBP,
    WEBP_MEMORY,
)
from nfl_keras.export.encoded_bytes import bytes_at, equal, length_of, number, unless
from nfl_keras.export.jpeg_header import jpeg_header

_HEAD, _CHUNK_HEAD = 64, 16  # bytes, more than each of these headers has


def format_of(encoded: tf.Tensor) -> tf.Tensor:
    """Tells the format of an image: int32 scalar, `JPEG` to `UNKNOWN`."""
    head = bytes_at(encoded, 0, _HEAD)
    is_webp = equal(head[:4], b"RIFF") & equal(head[8:12], b"WEBP")
    is_animated = equal(head[12:16], b"VP8X") & _has(head[20], ANIMATION)
    is_rare = [equal(head[: len(magic)], magic) for magic in RARE_MAGICS]
    matches = [
        equal(head[:3], b"\xff\xd8\xff"),
        equal(head[:8], b"\x89PNG\r\n\x1a\n"),
        is_webp & ~is_animated,
        equal(head[:2], b"BM") & _is_plain_bitmap(head, length_of(encoded)),
        is_webp | tf.reduce_any(is_rare),
        tf.constant(True),
    ]
    return tf.argmax(tf.stack(matches), output_type=tf.int32)


def read_parts(
    encoded: tf.Tensor, image_format: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads the declared height and width, EXIF, and the memory that a decoder needs.

    Returns:
        int64 `[2]`, zeros if no size can be read; scalar string, empty if there is no EXIF; and
        int64 scalar, see `nfl_keras.data.decoding.read_header.Header`.
    """
    head = bytes_at(encoded, 0, _HEAD)
    nothing, no_memory = tf.constant(b""), tf.constant(0, tf.int64)
    png_size = tf.stack([number(head[20:24], False), number(head[16:20], False)])
    ways = {
        JPEG: functools.partial(jpeg_header, encoded),
        PNG: lambda: (
            png_size,
            EXIF + _chunk(encoded, 8, length_of(encoded), _png_exif),
            no_memory,
        ),
        WEBP: lambda: (
            _webp_size(head),
            _webp_exif(encoded, head),
            _webp_memory(encoded, head) * tf.reduce_prod(_webp_size(head)),
        ),
        BMP: lambda: (_bitmap_size(head), nothing, no_memory),
    }
    none = tf.zeros(2, tf.int64), nothing, no_memory
    return tf.switch_case(image_format, ways, default=lambda: none)


def _png_exif(head):
    kind, length = head[4:8], number(head[:4], False)
    return equal(kind, b"eXIf"), length, unless(equal(kind, b"IDAT"), 12 + length)


def _webp_exif(encoded, head):
    def look(head):
        length = number(head[4:8])
        return equal(head[:4], b"EXIF"), length, 8 + length + length % 2

    has_none = ~_has(head[20], HAS_EXIF) | ~equal(head[12:16], b"VP8X")
    return _chunk(encoded, 12, unless(has_none, _webp_end(encoded, head)), look)


def _webp_memory(encoded, head):
    kinds, memory = [*WEBP_MEMORY], tf.constant([*WEBP_MEMORY.values()], tf.int64)

    def look(head):
        length = number(head[4:8])
        is_kind = tf.stack([equal(head[:4], kind) for kind in kinds])
        of_kind = tf.reduce_sum(unless(~is_kind, memory))
        return tf.reduce_any(is_kind), of_kind, 8 + length + length % 2

    start, found = _find(encoded, 12, _webp_end(encoded, head), look)
    return tf.where(start > 0, found, tf.reduce_max(memory))


def _webp_end(encoded, head):
    return tf.minimum(8 + number(head[4:8]), length_of(encoded))


def _webp_size(head):
    bits = number(head[21:25])
    lossless = tf.stack([1 + bits // 2**14 % 2**14, 1 + bits % 2**14])
    lossy = tf.stack([number(head[28:30]), number(head[26:28])]) % 2**14
    canvas = tf.stack([1 + number(head[27:30]), 1 + number(head[24:27])])
    other = tf.where(equal(head[12:16], b"VP8X"), canvas, tf.zeros_like(canvas))
    other = tf.where(equal(head[12:16], b"VP8 "), lossy, other)
    return tf.where(equal(head[12:16], b"VP8L"), lossless, other)


def _bitmap_size(head):
    height = number(head[22:26])
    return tf.stack([tf.minimum(height, 2**32 - height), number(head[18:22])])


def _is_plain_bitmap(head, length):
    (height, width), depth = tf.unstack(_bitmap_size(head)), number(head[28:30])
    rows = (depth * width + 31) // 32 * 4
    # As floats, since the product may exceed int64.
    pixels = tf.cast(height, tf.float64) * tf.cast(rows, tf.float64)
    fits = tf.cast(length - number(head[10:14]), tf.float64) <= pixels
    is_known = (number(head[14:18]) >= 40) & (number(head[30:34]) == 0)
    return is_known & ((depth == 24) | (depth == 32)) & fits


def _has(flags, flag):
    return flags // flag % 2 == 1


def _chunk(encoded: tf.Tensor, first: int, end: tf.Tensor, look: Callable) -> tf.Tensor:
    """Returns what the first chunk of a kind holds: string scalar, empty if there is none."""
    start, count = _find(encoded, first, end, look)
    return tf.strings.substr(encoded, start, unless(start == 0, tf.minimum(count, end - start)))


def _find(
    encoded: tf.Tensor, first: int, end: tf.Tensor, look: Callable
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the first chunk of a kind: where its data begin, 0 if there is none, and a number.

    `look` takes the first 16 bytes of a chunk. It returns whether the chunk is of the kind, the
    number, such as how many bytes it holds, and the distance to the next chunk, 0 if there is none.
    """

    def is_open(position, start, _):
        return (start == 0) & (position + 8 <= end)

    def step(position, start, _):
        is_it, count, advance = look(bytes_at(encoded, position, _CHUNK_HEAD))
        following = tf.where(advance > 0, position + advance, end)
        return following, tf.where(is_it, position + 8, start), count

    state = tf.constant(first, tf.int64), tf.constant(0, tf.int64), tf.constant(0, tf.int64)
    _, start, count = tf.while_loop(is_open, step, state, maximum_iterations=MAX_SEGMENTS)
    return start, count
