"""Defines how a photograph's bytes are checked by their header and made ready for TensorFlow.

JPEG, MPO (its first picture), PNG, still WebP, and BMP of 24 and 32 bits stay as they are:
TensorFlow decodes them as Pillow does, including CMYK, palettes and 16 bits. TensorFlow decodes
GIF, TIFF, animated WebP and other BMP wrongly, in part or not at all. Pillow converts their first
picture to RGB of 8 bits: 16 bits lose the lower eight, as in TensorFlow's decoding of PNG.
Transparency is dropped everywhere, whatever color lies under it.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from nfl_keras.data.decoding.photograph_error import (
    DAMAGED,
    EMPTY,
    MAX_PIXELS,
    MAX_SIDE,
    NOT_AN_IMAGE,
    TOO_LARGE,
    PhotographError,
)
from nfl_keras.data.decoding.read_header import RARE, UNKNOWN, read_header

MAX_BYTES = 2**28

_CONVERTED = ("WEBP", "GIF", "BMP", "TIFF")
_PREFIX = 16  # Bytes by which Pillow recognizes a format.

Image.init()  # Fills `Image.OPEN`.


def checked_bytes(content: bytes, name: str) -> tuple[bytes, int]:
    """Checks a photograph's header before anything is decoded.

    Args:
        content: bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        name: str, what messages call the photograph.

    Returns:
        `(content, orientation)`: bytes that `decode` decodes, unchanged where TensorFlow reads
        them correctly, and the EXIF orientation, see `Header`. XMP is not read.

    Raises:
        PhotographError: if there are no bytes or more than `MAX_BYTES`, the bytes are not an
            image, the header gives no size, or more than `MAX_PIXELS` or `MAX_SIDE`, or the image
            cannot be converted. Whether the pixels can be decoded is not known yet.

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
        return _converted(content, name), 1
    _check_size(header.height, header.width, name)
    return content, header.orientation


def _check_size(height: int, width: int, name: str) -> None:
    if not height or not width:
        raise PhotographError(name, DAMAGED)
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise PhotographError(name, TOO_LARGE)


def _converted(content: bytes, name: str) -> bytes:
    try:
        image = _factory(content)(io.BytesIO(content), None)
    except Exception as error:  # Pillow's decoders raise errors of any type.
        raise PhotographError(name, DAMAGED) from error
    _check_size(image.height, image.width, name)
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16"):
            image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
        elif image.mode in ("I", "F"):
            raise ValueError("32 bits per pixel, whose range is unknown")
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "BMP")
    except Exception as error:
        raise PhotographError(name, f"cannot be converted to RGB ({error})") from error
    return buffer.getvalue()


def _factory(content: bytes) -> Callable[..., Image.Image]:
    """Returns Pillow's class for the format whose files begin like this one."""
    # `Image.open` would check sizes by a warning, which is set for the whole process.
    for file_format in _CONVERTED:
        factory, accepts = Image.OPEN[file_format]
        if accepts is not None and accepts(content[:_PREFIX]) is True:
            return factory
    raise ValueError("no format that is converted")
