"""Which format encoded bytes are of, and how many pixels they declare, as a TensorFlow graph.

Nothing is decoded here: a few kilobytes can declare more pixels than a machine has memory for.
Formats are told apart as TensorFlow's own decoder tells them apart, so that a size is read by the
rules of the format that is then decoded. What that decoder reads wrongly (BMP with a palette,
compressed BMP) and what it reads but nobody checks here (JPEG XL) is unknown.
"""

import tensorflow as tf

from nfl_keras.export.header_bytes import bytes_at, equal, number
from nfl_keras.export.jpeg import frame_size

JPEG, PNG, WEBP, GIF, BMP, UNKNOWN = range(6)

_HEAD = 64  # bytes, more than any of these headers


def format_of(encoded):
    """Which of `JPEG` to `UNKNOWN` an image is.

    Args:
        encoded: scalar string tensor.

    Returns:
        int32 scalar.
    """
    head = bytes_at(encoded, 0, _HEAD)
    depth, compression = number(head[28:30]), number(head[30:34])
    plain_bmp = (number(head[14:18]) >= 40) & ((depth == 24) | (depth == 32)) & (compression == 0)
    matches = [
        equal(head[:3], b"\xff\xd8\xff"),
        equal(head[:8], b"\x89PNG\r\n\x1a\n"),
        equal(head[:4], b"RIFF") & equal(head[8:12], b"WEBP"),
        equal(head[:4], b"GIF8"),
        equal(head[:2], b"BM") & plain_bmp,
        tf.constant(True),
    ]
    return tf.argmax(tf.stack(matches), output_type=tf.int32)


def declared_size(encoded, image_format):
    """The height and width that an image declares.

    Args:
        encoded: scalar string tensor; a GIF as `first_frame` gives it, a WebP as `still_image`.
        image_format: int32 scalar, as `format_of` gives it.

    Returns:
        int64 `[2]`, zeros where none can be read, as for `UNKNOWN`.
    """
    head = bytes_at(encoded, 0, _HEAD)
    sizes = {
        JPEG: lambda: frame_size(encoded),
        PNG: lambda: tf.stack([number(head[20:24], False), number(head[16:20], False)]),
        WEBP: lambda: _webp_size(head),
        GIF: lambda: tf.stack([number(head[8:10]), number(head[6:8])]),
        BMP: lambda: tf.stack([tf.abs(_signed(number(head[22:26]))), number(head[18:22])]),
    }
    none = tf.zeros(2, tf.int64)
    return tf.switch_case(image_format, sizes, default=lambda: none)


def _webp_size(head):
    bits = number(head[21:25])
    lossless = tf.stack([1 + bits // 2**14 % 2**14, 1 + bits % 2**14])
    lossy = tf.stack([number(head[28:30]), number(head[26:28])]) % 2**14
    return tf.where(equal(head[12:16], b"VP8L"), lossless, lossy)


def _signed(value):
    return tf.where(value < 2**31, value, value - 2**32)
