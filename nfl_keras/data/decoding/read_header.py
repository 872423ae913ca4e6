"""Defines how a photograph's format, size and orientation are read from its header.

Nothing else in a file counts: whether its pixels can be decoded, their decoder says. Profiles,
texts and thumbnails have no say in it. `nfl_keras.export.formats` is the same in a graph.
"""

import re
from typing import Literal, NamedTuple

from nfl_keras.data.decoding.exif_orientation import EXIF, exif_orientation

# What TensorFlow decodes; `RARE` is an image that Pillow must convert first.
JPEG, PNG, WEBP, BMP, RARE, UNKNOWN = range(6)

RARE_MAGICS = b"GIF8", b"BM", b"II*\0", b"II\0*", b"II+\0", b"MM\0*", b"MM*\0", b"MM\0+"
NO_JPEG_FRAMES = 0xC4, 0xC8, 0xCC
ANIMATION, HAS_EXIF = 2, 8  # flags of WebP
TEMPORARY, RESTART, END, SCAN, APP1 = 0x01, 0xD0, 0xD9, 0xDA, 0xE1
MAX_SEGMENTS = 1024  # that stand before the pixels, of a JPEG or any other format
MAX_EXIF = 2**17  # bytes, behind which no segment is joined

_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff]")


class Header(NamedTuple):
    """What a photograph's header says.

    Attributes:
        format: int, `JPEG` to `UNKNOWN`.
        height: int, pixels. 0 where no size can be read, and for `RARE` and `UNKNOWN`.
        width: int, as height.
        orientation: int from 1 to 8, by EXIF before the pixels of a JPEG or PNG, and anywhere in
            a WebP. 1 where it gives none.
    """

    format: int
    height: int = 0
    width: int = 0
    orientation: int = 1


def read_header(content: bytes) -> Header:
    """Reads a photograph's header, by the rules of the decoders that TensorFlow has.

    Args:
        content: bytes of a file.

    Returns:
        `Header`.

    Example:

    >>> from nfl_keras.data.decoding.read_header import read_header
    >>> read_header(nfl.data.load("blooms").read(0))
    Header(format=0, height=96, width=96, orientation=1)
    """
    head = content[:64].ljust(64, b"\0")
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _number(head[20:24], "big"), _number(head[16:20], "big")
        return Header(PNG, *size, exif_orientation(_png_exif(content)))
    if content.startswith(b"RIFF") and head[8:12] == b"WEBP":
        if head[12:16] == b"VP8X" and head[20] & ANIMATION:
            return Header(RARE)
        return Header(WEBP, *_webp_size(head), exif_orientation(_webp_exif(content)))
    if content.startswith(b"BM") and _is_plain_bitmap(head, len(content)):
        return Header(BMP, *_bitmap_size(head))
    return Header(RARE if content.startswith(RARE_MAGICS) else UNKNOWN)


def _jpeg(content: bytes) -> Header:
    """Walks from segment to segment as libjpeg does, which skips stray bytes before a marker."""
    size, exif, position = None, b"", 2
    for _ in range(MAX_SEGMENTS):
        found = _JPEG_MARKER.search(content, position)
        if found is None or content[found.end() - 1] in (END, SCAN):
            break
        position, marker = found.end(), content[found.end() - 1]
        if marker == TEMPORARY or RESTART <= marker < END:
            continue
        head = content[position : position + 7].ljust(7, b"\0")
        length = _number(head[:2], "big")
        if size is None and 0xC0 <= marker <= 0xCF and marker not in NO_JPEG_FRAMES:
            size = _number(head[3:5], "big"), _number(head[5:7], "big")
        segment = content[position + 2 : position + length]
        if marker == APP1 and segment.startswith(EXIF) and len(exif) < MAX_EXIF:
            exif += segment[len(EXIF) :] if exif else segment
        position += max(length, 2)
    return Header(JPEG, *(size or (0, 0)), exif_orientation(exif))


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
    start, end = 12, min(8 + _number(content[4:8]), len(content))
    for _ in range(MAX_SEGMENTS):
        kind, length = content[start : start + 4], _number(content[start + 4 : start + 8])
        if start + 8 > end:
            break
        if kind == b"EXIF":
            return content[start + 8 : min(start + 8 + length, end)]
        start += 8 + length + length % 2
    return b""


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
