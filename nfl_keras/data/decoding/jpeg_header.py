"""Defines how a JPEG's header is read. `nfl_keras.export.jpeg_header` is the same in a graph."""

import re
from typing import NamedTuple

from nfl_keras.data.decoding.exif_orientation import EXIF

TEMPORARY, RESTART, END, SCAN, APP1 = 0x01, 0xD0, 0xD9, 0xDA, 0xE1
NO_FRAMES = 0xC4, 0xC8, 0xCC
PROGRESSIVE = 2  # the last two bits of such a frame's marker
MAX_SEGMENTS = 1024  # that stand before the pixels, of a JPEG or any other format
MAX_EXIF = 2**17  # bytes, behind which no segment is joined
MAX_SAMPLINGS = 4  # components, as many as TensorFlow decodes
NO_SCAN = 256  # components, more than a scan has

_HEAD = 20  # bytes of a frame, up to the last sampling
_MARKER = re.compile(rb"\xff[^\x00\xff]")


class _Frame(NamedTuple):
    size: tuple[int, int] = (0, 0)
    coefficients: int = 0
    in_one_scan: int = 0


def jpeg_header(content: bytes) -> tuple[tuple[int, int], bytes, int]:
    """Walks from segment to segment as libjpeg does, which skips stray bytes before a marker.

    Args:
        content: bytes of a JPEG.

    Returns:
        `(size, exif, memory)`: height and width, zeros if no frame is found; bytes of EXIF, which
        may be none; and the bytes of all coefficients, which libjpeg keeps unless the first scan
        holds all components whole.
    """
    frame, exif, position = None, b"", 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(content, position)
        if found is None or content[found.end() - 1] == END:
            break
        position, marker = found.end(), content[found.end() - 1]
        if marker == TEMPORARY or RESTART <= marker < END:
            continue
        head = content[position : position + _HEAD].ljust(_HEAD, b"\0")
        if marker == SCAN:
            if frame and head[2] >= frame.in_one_scan:
                frame = frame._replace(coefficients=0)
            break
        length = int.from_bytes(head[:2])
        if frame is None and 0xC0 <= marker <= 0xCF and marker not in NO_FRAMES:
            frame = _frame(head, marker % 4 == PROGRESSIVE)
        segment = content[position + 2 : position + length]
        if marker == APP1 and segment.startswith(EXIF) and len(exif) < MAX_EXIF:
            exif += segment[len(EXIF) :] if exif else segment
        position += max(length, 2)
    frame = frame or _Frame()
    return frame.size, exif, frame.coefficients


def _frame(head: bytes, is_progressive: bool) -> _Frame:
    height, width, components = int.from_bytes(head[3:5]), int.from_bytes(head[5:7]), head[7]
    samplings = head[9::3][:components]
    across, down = [s // 16 for s in samplings], [s % 16 for s in samplings]
    largest = max(max(across, default=0) * max(down, default=0), 1)
    samples = height * width * sum(x * y for x, y in zip(across, down, strict=True))
    # A coefficient has two bytes.
    in_one_scan = NO_SCAN if is_progressive else components
    return _Frame((height, width), 2 * samples // largest, in_one_scan)
