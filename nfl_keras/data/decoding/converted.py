"""Defines how photographs that TensorFlow does not decode become PNG.

16 bits lose the lower eight, as in TensorFlow's decoding of PNG. Transparency is dropped, whatever
color lies under it.
"""

import io
from collections.abc import Callable, Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin

from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError, check_cost
from nfl_keras.data.decoding.png_bytes import png_bytes, strips

_FORMATS = ("WEBP", "GIF", "BMP", "TIFF")
_PREFIX = 16  # Bytes by which Pillow recognizes a format.
_GRAY = ("1", "L", "LA", "I;16", "I;16B", "I;16L", "I;16N")
_STORED = {"1": 1, "L": 1, "P": 1} | dict.fromkeys(_GRAY[3:], 2)  # bytes per pixel; else 4
_MOVING, _RUNS = 16, 4  # bytes per pixel that decoders of animated WebP and packed BMP hold
_NO_COMPRESSION, _PLAIN_COMPRESSIONS = 1, (1, 2, 3, 4, 5, 8, 32773, 32946)  # of TIFF

Image.init()  # Fills `Image.OPEN`.


def converted(content: bytes, name: str, compress_level: int) -> bytes:
    """Converts the first picture of a file to a PNG of 8 bits, upright.

    Args:
        content: bytes of a WebP, GIF, BMP or TIFF file.
        name: str, what messages call the photograph.
        compress_level: int, 0 to 9.

    Returns:
        bytes of a PNG.

    Raises:
        PhotographError: if the header declares more than `check_cost` allows, or the image cannot
            be converted.
    """
    try:
        image = _factory(content)(io.BytesIO(content), None)
    except Exception as error:  # Pillow's decoders raise errors of any type.
        raise PhotographError(name, DAMAGED) from error
    try:
        memory = _memory(image, len(content))
        check_cost(image.height, image.width, memory, name)
        ImageOps.exif_transpose(image, in_place=True)
        return upright_png(image, compress_level)
    except PhotographError:
        raise
    except Exception as error:
        raise PhotographError(name, f"cannot be converted to RGB ({error})") from error


def _factory(content: bytes) -> Callable[..., Image.Image]:
    """Returns Pillow's class for the format whose files begin like this one."""
    # `Image.open` would check sizes by a warning, which is set for the whole process.
    for file_format in _FORMATS:
        factory, accepts = Image.OPEN[file_format]
        if accepts is not None and accepts(content[:_PREFIX]) is True:
            return factory
    raise ValueError("no format that is converted")


def upright_png(image: Image.Image, compress_level: int) -> bytes:
    """Encodes a picture, turned by its EXIF, as a PNG of 8 bits.

    Args:
        image: `PIL.Image.Image`.
        compress_level: int, 0 to 9.

    Returns:
        bytes of a PNG.

    Raises:
        ValueError: if pixels have 32 bits.
    """
    if image.mode in ("I", "F"):
        raise ValueError("32 bits per pixel, whose range is unknown")
    image.load()  # which turns a TIFF
    if _is_turned(image):
        image = ImageOps.exif_transpose(image)
    channels = _channels(image)
    pixels = _pixels(image, channels)
    return png_bytes(pixels, image.height, image.width, channels, compress_level)


def _pixels(image: Image.Image, channels: int) -> Iterator[np.ndarray]:
    for rows in strips(image.height, image.width):
        strip = image.crop((0, rows.start, image.width, rows.stop))
        if strip.mode.startswith("I;16"):
            values = (np.asarray(strip) >> 8).astype(np.uint8)
        else:
            values = np.asarray(strip.convert("L" if channels == 1 else "RGB"))
        yield values.reshape(*values.shape[:2], channels)


def _is_turned(image: Image.Image) -> bool:
    return image.getexif().get(ExifTags.Base.Orientation, 1) != 1


def _channels(image: Image.Image) -> int:
    return 1 if image.mode in _GRAY else 3


def _memory(image: Image.Image, length: int) -> float:
    """Estimates the bytes that decoding and converting need beside the file and the pixels."""
    pixels, written = image.height * image.width, _channels(image)
    stored = _STORED.get(image.mode, 4)
    # The decoder and its picture, the picture and the PNG, two copies of the PNG.
    phases = [stored * pixels + _decoder(image, length), (stored + written) * pixels]
    phases.append(2 * written * pixels)
    if _is_turned(image):
        phases.append(2 * stored * pixels)
    return max(phases) - 3 * pixels


def _decoder(image: Image.Image, length: int) -> float:
    pixels = image.height * image.width
    if image.format == "WEBP":
        return _MOVING * pixels + 2 * length
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return _RUNS * pixels if image.format == "BMP" and image.mode in _STORED else 0
    tags = image.tag_v2
    compression = tags.get(TiffImagePlugin.COMPRESSION, _NO_COMPRESSION)
    if compression == _NO_COMPRESSION:
        return 0
    # A strip or a tile is decoded at once.
    rows = tags.get(TiffImagePlugin.ROWSPERSTRIP, image.height)
    at_once = min(max(image.size) * rows, pixels)
    if TiffImagePlugin.TILEWIDTH in tags:
        at_once = tags[TiffImagePlugin.TILEWIDTH] * tags[TiffImagePlugin.TILELENGTH]
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    depth = bits * tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1) / 8
    # Pictures within a TIFF, such as JPEG, have decoders of their own.
    return at_once * (depth if compression in _PLAIN_COMPRESSIONS else 4 * depth + 4)
