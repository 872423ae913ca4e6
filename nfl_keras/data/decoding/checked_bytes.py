"""Defines how a photograph's bytes are checked by their header and made ready for TensorFlow.

JPEG, MPO (its first picture), PNG, and still WebP without transparency stay as they are:
TensorFlow decodes them as Pillow does, including CMYK, palettes and 16 bits. TensorFlow decodes
BMP, GIF, TIFF and other WebP wrongly, in part or not at all. Pillow converts their first picture
to RGB of 8 bits: 16 bits lose the lower eight, as in TensorFlow's decoding of PNG, and
transparency is dropped, whatever color lies under it.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image, ImageOps

from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError

MAX_PIXELS = 100_000_000
MAX_BYTES = 2**28

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_PREFIX = 16  # Bytes by which Pillow recognizes a format.

Image.init()  # Fills `Image.OPEN`.


def checked_bytes(content: bytes, name: str) -> tuple[bytes, int]:
    """Checks a photograph's header before anything is decoded.

    Args:
        content: bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        name: str, what messages call the photograph.

    Returns:
        `(content, orientation)`: bytes that `decode` decodes, unchanged where TensorFlow reads
        them correctly, and the EXIF orientation, an int from 1 to 8 (1 where EXIF gives no valid
        one). EXIF after the pixels and XMP are not read.

    Raises:
        PhotographError: if there are no bytes or more than `MAX_BYTES`, the bytes are not an
            image, the header is damaged or declares more than `MAX_PIXELS`, or the image cannot
            be converted.

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
        raise PhotographError(name, "zero bytes")
    if len(content) > MAX_BYTES:
        raise PhotographError(name, f"{len(content):,} bytes, more than {MAX_BYTES:,}")
    factory = _factory(content)
    if factory is None:
        raise PhotographError(name, "not an image")
    try:
        image = factory(io.BytesIO(content), None)
    except Exception as error:  # Pillow's decoders raise errors of any type.
        raise PhotographError(name, DAMAGED) from error
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise PhotographError(name, f"declares {pixels:,} pixels, more than {MAX_PIXELS:,}")
    if image.format in ("JPEG", "MPO", "PNG") or _plain_webp(image):
        return content, _orientation(image)
    try:
        return _converted(image), 1
    except Exception as error:  # Pillow's decoders raise errors of any type.
        raise PhotographError(name, f"cannot be converted to RGB ({error})") from error


def _factory(content: bytes) -> Callable[..., Image.Image] | None:
    """Returns Pillow's class for the format whose files begin like this one."""
    # `Image.open` would check sizes by a warning, which is set for the whole process.
    for file_format in _FORMATS:
        factory, accepts = Image.OPEN[file_format]
        if accepts is not None and accepts(content[:_PREFIX]) is True:
            return factory
    return None


def _plain_webp(image: Image.Image) -> bool:
    animated = getattr(image, "is_animated", False)
    return image.format == "WEBP" and image.mode == "RGB" and not animated


def _orientation(image: Image.Image) -> int:
    exif = Image.Exif()
    try:
        # `image.getexif()` would decode a whole PNG to search for EXIF after the pixels.
        exif.load(image.info.get("exif", b""))
        orientation = exif.get(ExifTags.Base.Orientation, 1)
    except Exception:  # Pillow raises errors of any type for damaged EXIF.
        return 1
    return int(orientation) if orientation in range(1, 9) else 1


def _converted(image: Image.Image) -> bytes:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits per pixel, whose range is unknown")
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "BMP")
    return buffer.getvalue()
