"""A file's bytes checked by their header, and brought into a form that TensorFlow decodes.

JPEG (the first picture of an MPO, too), PNG, and still WebP without transparency pass as they
are: TensorFlow decodes all of their kinds as Pillow does, CMYK, palettes and 16 bits included.
BMP, GIF, TIFF and other WebP it decodes wrongly, in part or not at all. Pillow brings their
first picture to 8 bits of RGB: 16 bits lose the lower eight, as TensorFlow does with PNG, and
transparency is dropped, whatever color lies under it.
"""

import io

import numpy as np
from PIL import ExifTags, Image, ImageOps

from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError

MAX_PIXELS = 100_000_000
MAX_BYTES = 2**28

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_PREFIX = 16  # bytes by which Pillow tells formats apart

Image.init()  # fills Image.OPEN


def checked_bytes(content, name):
    """Looks at a photograph's header before anything is decoded.

    Args:
        content: bytes of a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        name: str, what messages call the photograph.

    Returns:
        `(content, orientation)`: bytes that `decode` decodes, the same ones wherever
        TensorFlow reads them rightly, and the EXIF orientation, an int from 1 to 8 (1 where
        there is none, or none of these). EXIF behind the pixels, and what XMP says, do not count.

    Raises:
        PhotographError: for no bytes or more than `MAX_BYTES`, for what is not an image, has
            a damaged header, declares more than `MAX_PIXELS`, or cannot be converted.

    Example:

    >>> content, orientation = checked_bytes(pathlib.Path("rose.jpg").read_bytes(), "rose.jpg")
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
    except Exception as error:  # decoders raise anything
        raise PhotographError(name, DAMAGED) from error
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise PhotographError(name, f"declares {pixels:,} pixels, more than {MAX_PIXELS:,}")
    if image.format in ("JPEG", "MPO", "PNG") or _plain_webp(image):
        return content, _orientation(image)
    try:
        return _converted(image), 1
    except Exception as error:  # decoders raise anything
        raise PhotographError(name, f"cannot be converted to RGB ({error})") from error


def _factory(content):
    """What Pillow opens a file that begins like this one with."""
    # Not Image.open, which judges sizes itself, by a warning for the whole process.
    for file_format in _FORMATS:
        factory, accepts = Image.OPEN[file_format]
        if accepts(content[:_PREFIX]) is True:
            return factory
    return None


def _plain_webp(image):
    return image.format == "WEBP" and image.mode == "RGB" and not image.is_animated


def _orientation(image):
    exif = Image.Exif()
    try:
        # `image.getexif()` would decode a whole PNG in search of more.
        exif.load(image.info.get("exif"))
        orientation = exif.get(ExifTags.Base.Orientation)
    except Exception:  # EXIF is a file format of its own, and as easily damaged
        return 1
    return orientation if orientation in range(1, 9) else 1


def _converted(image):
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits per pixel, of which no range is known")
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "BMP")
    return buffer.getvalue()
