"""Defines how a photograph's bytes are checked by their header and made ready for TensorFlow.

JPEG, MPO (its first picture), PNG, still WebP, and BMP of 24 and 32 bits stay as they are:
TensorFlow decodes them as Pillow does, including CMYK, palettes and 16 bits. TensorFlow decodes
GIF, TIFF, animated WebP and other BMP wrongly, in part or not at all. Their first picture, which
Pillow decodes, becomes a PNG (`nfl_keras.data.decoding.converted`).
"""

from nfl_keras.data.decoding.converted import converted
from nfl_keras.data.decoding.photograph_error import (
    EMPTY,
    NOT_AN_IMAGE,
    PhotographError,
    check_cost,
)
from nfl_keras.data.decoding.read_header import RARE, UNKNOWN, read_header

MAX_BYTES = 2**28


def checked_bytes(content: bytes, name: str, compress_level: int = 0) -> tuple[bytes, int]:
    """Checks a photograph's header before anything is decoded.

    Args:
        content: bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        name: str, what messages call the photograph.
        compress_level: int, 0 to 9, of what becomes a PNG. Defaults to `0`.

    Returns:
        `(content, orientation)`: bytes that `decode` decodes, unchanged where TensorFlow reads
        them correctly, and the EXIF orientation, see `Header`. XMP is not read.

    Raises:
        PhotographError: if there are no bytes or more than `MAX_BYTES`, the bytes are not an
            image, the header gives no size, or more than `check_cost` allows, or the image cannot
            be converted. Whether the pixels can be decoded is not known yet.

    Example:

    >>> from nfl_keras.data.decoding.checked_bytes import checked_bytes
    >>> photograph = nfl.data.load("blooms").read(0)
    >>> content, orientation = checked_bytes(photograph, "bloom.jpg")
    >>> content == photograph, orientation
    (True, 1)
    """
    if not isinstance(content, bytes):
        raise PhotographError(name, f"read gives {type(content).__name__}, not bytes")
    if not content:
        raise PhotographError(name, EMPTY)
    if len(content) > MAX_BYTES:
        raise PhotographError(name, f"{len(content):,} bytes, more than {MAX_BYTES:,}")
    header = read_header(content)
    if header.format == UNKNOWN:
        raise PhotographError(name, NOT_AN_IMAGE)
    if header.format == RARE:
        return converted(content, name, compress_level), 1
    check_cost(header.height, header.width, header.memory, name)
    return content, header.orientation
