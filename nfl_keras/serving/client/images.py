"""From what callers hold to what is sent: encoded photographs.

What training hands to TensorFlow as it is, is sent byte for byte: every JPEG, PNG, and still WebP
without transparency. Where EXIF asks for a turn, the exported graph turns it, so that nothing is
decoded here and nothing lost. The rest becomes a PNG of the picture that training sees, upright:

- TIFF, and BMP with a palette or compressed, which the exported graph does not read;
- GIF and moving WebP, of which it reads the first frame without its place on the canvas, plain BMP,
  and transparent WebP: to check them is to decode them already.
"""

import io
import os
import pathlib

import numpy as np
from PIL import Image, ImageOps

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError
from nfl_keras.errors import UserError

_PNG_LEVEL = 1


def one_or_many(images):
    """An iterable of images, whether one was given or many.

    Args:
        images: one image as `encoded_bytes` takes it, or an iterable of them, such as an array
            `[N, H, W, 3]`.

    Returns:
        `(images, count)`; the count is `None` for an iterable that does not know it.

    Raises:
        UserError: for what is neither.
    """
    single = isinstance(images, (str, os.PathLike, bytes, bytearray, memoryview, Image.Image))
    if single or getattr(images, "ndim", None) == 3:
        return [images], 1
    if not hasattr(images, "__iter__"):
        raise UserError(
            f"images must be a path, bytes, an array or a PIL image, or many of these, not "
            f"{type(images).__name__}."
        )
    return images, len(images) if hasattr(images, "__len__") else None


def encoded_bytes(image):
    r"""What is sent for an image: bytes of which the server decodes what training sees.

    Args:
        image: path of an image file, its bytes, an array `[H, W, 3]` of uint8 or of floats in
            0..255 (rounded), or a PIL image. 16 bits keep the upper eight, and transparency is
            dropped, as in training.

    Returns:
        bytes of a JPEG, PNG or WebP.

    Raises:
        PhotographError: if the file cannot be read, or holds no usable image, see
            `nfl_keras.data.decoding.checked_bytes.checked_bytes`; for arrays as `checked_pixels`.

    Example:

    >>> encoded_bytes(np.zeros((224, 224, 3), np.uint8))[:4]
    b'\x89PNG'
    """
    if isinstance(image, (str, os.PathLike)):
        return _from_encoded(_read(image), str(image))
    if isinstance(image, (bytes, bytearray, memoryview)):
        return _from_encoded(bytes(image), "bytes")
    if isinstance(image, Image.Image):
        return _from_picture(image)
    if hasattr(image, "__array__"):
        return _png(Image.fromarray(np.rint(checked_pixels(image)).astype(np.uint8)))
    kind = type(image).__name__
    raise PhotographError(kind, f"{kind} is neither a path, bytes, an array nor a PIL image")


def checked_pixels(array):
    """Looks at an image given as an array.

    Args:
        array: `[H, W, 3]`, uint8 or floats in 0..255.

    Returns:
        The array; floats as float32.

    Raises:
        PhotographError: for another shape, type or range. Fractions of which none is above 1
            are taken for pixels in 0..1.
    """
    array = np.asarray(array)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise PhotographError("array", f"an array of shape {list(array.shape)}, not [H, W, 3]")
    if array.dtype == np.uint8:
        return array
    if not array.dtype.name.startswith(("float", "bfloat")):
        raise PhotographError("array", f"an array of {array.dtype}, neither uint8 nor floats")
    array = array.astype(np.float32)
    if not np.all((array >= 0) & (array <= 255)):
        raise PhotographError("array", "an array with values outside 0..255")
    if array.max() <= 1 and np.any(array % 1):
        raise PhotographError("array", "an array in 0..1, not in 0..255")
    return array


def _read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character within the path
        reason = getattr(error, "strerror", None) or str(error)
        raise PhotographError(str(path), f"cannot be read ({reason})") from error


def _from_encoded(content, name):
    usable, _ = checked_bytes(content, name)
    return content if usable is content else _png(Image.open(io.BytesIO(usable)))


def _from_picture(picture):
    if picture.mode in ("I", "F"):
        raise PhotographError("PIL image", "32 bits per pixel, of which no range is known")
    try:
        return _png(ImageOps.exif_transpose(picture))
    except Exception as error:  # one opened from a file is decoded only now
        raise PhotographError("PIL image", DAMAGED) from error


def _png(picture):
    if picture.mode != "L" and not picture.mode.startswith("I;16"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    # Both would be taken over from what the picture was read from, and help nobody here.
    left_out = {"icc_profile": None, "transparency": None}
    picture.save(buffer, "PNG", compress_level=_PNG_LEVEL, **left_out)
    return buffer.getvalue()
