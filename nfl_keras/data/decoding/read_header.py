"""Defines how a photograph's format, size and orientation are read from its header.

Nothing else in a file counts: whether its pixels can be decoded, their decoder says. Profiles,
texts and thumbnails have no say in it. `nfl_keras.export.formats` is the same in a graph.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from nfl_keras.data.decoding.exif_orientation import EXIF, exif_orientation
from nfl_keras.data.decoding.jpeg_header import MAX_SEGMENTS, jpeg_header

# What TensorFlow decodes; `RARE` is an image that Pillow must convert first.
JPEG, PNG, WEBP, BMP, RARE, UNKNOWN = range(6)

RARE_MAGICS = b"GIF8", b"BM", b"II*\0", b"II\0*", b"II+\0", b"MM\0*", b"MM*\0", b"MM\0+"
ANIMATION, HAS_EXIF = 2, 8  # flags of WebP
# Bytes per pixel that libwebp and TensorFlow hold beside the pixels, by the first chunk of these.
WEBP_MEMORY = {b"VP8 ": 0, b"VP8L": 5, b"ALPH": 6}


class Header(NamedTuple):
    """What a photograph's header says.

    Attributes:
        format: int, `JPEG` to `UNKNOWN`.
        height: int, pixels. 0 where no size can be read, and for `RARE` and `UNKNOWN`.
        width: int, as height.
        orientation: int from 1 to 8, by EXIF before the pixels of a JPEG or PNG, and anywhere in
            a WebP. 1 where it gives none.
        memory: int, bytes that a decoder needs beside the pixels and the file: for all
            coefficients of a JPEG that is not decoded in one scan, and for a WebP that is lossless
            or has transparency. 0 for `RARE` and `UNKNOWN`.
    """

    format: int
    height: int = 0
    width: int = 0
    orientation: int = 1
    memory: int = 0


def read_header(content: bytes) -> Header:
    """Reads a photograph's header, by the rules of the decoders that TensorFlow has.

    Args:
        content: bytes of a file.

    Returns:
        `Header`.

    Example:

    >>> from nfl_keras.data.decoding.read_header import read_header
    >>> read_header(nfl.data.load("blooms").read(0))
    Header(format=0, height=96, width=96, orientation=1, memory=0)
    """
    head = content[:64].ljust(64, b"\0")
    if content.startswith(b"\xff\xd8\xff"):
        size, exif, memory = jpeg_header(content)
        return Header(JPEG, *size, exif_orientation(exif), memory)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _number(head[20:24], "big"), _number(head[16:20], "big")
        return Header(PNG, *size, exif_orientation(_png_exif(content)))
    if content.startswith(b"RIFF") and head[8:12] == b"WEBP":
        if head[12:16] == b"VP8X" and head[20] & ANIMATION:
            return Header(RARE)
        height, width = _webp_size(head)
        memory = _webp_memory(content) * height * width
        return Header(WEBP, height, width, exif_orientation(_webp_exif(content)), memory)
    if content.startswith(b"BM") and _is_plain_bitmap(head, len(content)):
        return Header(BMP, *_bitmap_size(head))
    return Header(RARE if head.startswith(RARE_MAGICS) else UNKNOWN)


def _png_exif(content: bytes) -> bytes:
    start = 8
    for _ in range(MAX_SEGMENTS):
        length, kind = _number(content[start : start + 4], "big"), content[start + 4 : start + 8]
        if kind == b"eXIf":
            return EXIF + content[start + 8 : start + 8 + length]
        if kind in (b"IDAT", b""):
            break
        start += 12 + length
    return b""


def _webp_exif(content: bytes) -> bytes:
    if content[12:16] != b"VP8X" or not int.from_bytes(content[20:21]) & HAS_EXIF:
        return b""
    found = (content[start:end] for kind, start, end in _webp_chunks(content) if kind == b"EXIF")
    return next(found, b"")


def _webp_memory(content: bytes) -> int:
    known = (WEBP_MEMORY[kind] for kind, _, _ in _webp_chunks(content) if kind in WEBP_MEMORY)
    return next(known, max(WEBP_MEMORY.values()))


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    start, end = 12, min(8 + _number(content[4:8]), len(content))
    for _ in range(MAX_SEGMENTS):
        kind, length = content[start : start + 4], _number(content[start + 4 : start + 8])
        if start + 8 > end:
            return
        yield kind, start + 8, min(start + 8 + length, end)
        start += 8 + length + length % 2


def _webp_size(head: bytes) -> tuple[int, int]:
    if head[12:16] == b"VP8X":
        return 1 + _number(head[27:30]), 1 + _number(head[24:27])
    if head[12:16] == b"VP8L":
        bits = _number(head[21:25])
        return 1 + bits // 2**14 % 2**14, 1 + bits % 2**14
    if head[12:16] == b"VP8 ":
        return _number(head[28:30]) % 2**14, _number(head[26:28]) % 2**14
    return 0, 0


def _bitmap_size(head: bytes) -> tuple[int, int]:
    height = _number(head[22:26])
    return min(height, 2**32 - height), _number(head[18:22])


def _is_plain_bitmap(head: bytes, length: int) -> bool:
    (height, width), depth = _bitmap_size(head), _number(head[28:30])
    # TensorFlow refuses bytes behind the pixels. Rows of pixels are filled up to four bytes.
    end = _number(head[10:14]) + height * ((depth * width + 31) // 32 * 4)
    known = _number(head[14:18]) >= 40 and depth in (24, 32) and _number(head[30:34]) == 0
    return known and length <= end


def _number(digits: bytes, order: Literal["little", "big"] = "little") -> int:
    return int.from_bytes(digits, order)
