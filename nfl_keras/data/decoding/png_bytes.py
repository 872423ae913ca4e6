"""Defines how pixels become a PNG that takes no more memory than the pixels themselves."""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np

_STRIP = 2**18  # bytes
_LEFT = 1  # the filter by which a PNG holds differences from the pixel on the left


def strips(height: int, width: int) -> list[slice]:
    """Returns the rows of a picture's strips, each about 256 KiB."""
    rows = max(_STRIP // (3 * width), 1)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]


def png_bytes(
    pixels: Iterable[np.ndarray], height: int, width: int, channels: int, compress_level: int = 1
) -> bytes:
    """Encodes a picture that is given strip by strip.

    Args:
        pixels: arrays uint8 `[rows, W, channels]`, from the top.
        height: int, rows of all strips.
        width: int.
        channels: 1 for gray, 3 for RGB.
        compress_level: int, 0 to 9, as in `zlib`. Defaults to `1`.

    Returns:
        bytes of a PNG.

    Example:

    >>> import numpy as np
    >>> from nfl_keras.data.decoding.png_bytes import png_bytes
    >>> tf.io.decode_png(png_bytes([np.full((2, 3, 1), 9, np.uint8)], 2, 3, 1)).shape
    TensorShape([2, 3, 1])
    """
    buffer, compressor = io.BytesIO(), zlib.compressobj(compress_level)
    buffer.write(b"\x89PNG\r\n\x1a\n")
    color_type = {1: 0, 3: 2}[channels]
    _write_chunk(buffer, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0))
    for strip in pixels:
        rows = np.full((len(strip), 1 + width * channels), _LEFT, np.uint8)
        rows[:, 1:] = strip.reshape(len(strip), -1)
        rows[:, 1 + channels :] -= strip[:, :-1].reshape(len(strip), -1)
        _write_chunk(buffer, b"IDAT", compressor.compress(rows.data))
    _write_chunk(buffer, b"IDAT", compressor.flush())
    _write_chunk(buffer, b"IEND", b"")
    return buffer.getvalue()


def _write_chunk(buffer: io.BytesIO, kind: bytes, data: bytes) -> None:
    buffer.write(struct.pack(">I", len(data)) + kind)
    buffer.write(data)
    buffer.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
