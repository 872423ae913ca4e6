"""Defines the bytes of an image in any form, of which all decoders make what training sees.

What `checked_bytes` leaves unchanged, the exported graph decodes as training does: it stays byte
for byte. Everything else becomes a PNG of the picture that training sees, upright.
"""

import os
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.converted import upright_png
from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError
from nfl_keras.data.decoding.png_bytes import png_bytes, strips
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path

_COMPRESS_LEVEL = 1

Photograph: TypeAlias = Path | bytes | bytearray | memoryview | np.ndarray | Image.Image


def one_or_many(images: Any) -> tuple[Iterable[Photograph], int | None]:
    """Wraps one image as a list, and counts many if the iterable has a length."""
    single = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)
    if isinstance(images, single) or getattr(images, "ndim", None) == 3:
        return [images], 1
    if not hasattr(images, "__iter__"):
        raise UserError(
            f"images must be a path, bytes, an array or a PIL image, or many of these, not "
            f"{type(images).__name__}."
        )
    return images, len(images) if hasattr(images, "__len__") else None


def encoded_bytes(image: Photograph) -> bytes:
    """Encodes an image as a JPEG, PNG or WebP, see `nfl.serving.Client.embed`.

    Floats are rounded, 16 bits keep the upper eight, and transparency is dropped, as in training.

    Raises:
        PhotographError: if the file cannot be read, or its bytes or pixels cannot be used, see
            `nfl_keras.data.decoding.checked_bytes` and `checked_pixels`.
    """
    if isinstance(image, (str, os.PathLike)):
        try:
            image = local_path(image).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise PhotographError(str(image), f"cannot be read ({reason})") from error
    if isinstance(image, (bytes, bytearray, memoryview)):
        return checked_bytes(bytes(image), "bytes", _COMPRESS_LEVEL)[0]
    if isinstance(image, Image.Image):
        return _from_picture(image)
    if hasattr(image, "__array__"):
        return _from_array(_checked_array(image))
    kind = type(image).__name__
    raise PhotographError(kind, f"{kind} is neither a path, bytes, an array nor a PIL image")


def named_bytes(image: Photograph, number: int) -> tuple[str, bytes]:
    """Encodes an image, and names it by its path, or else by its number.

    Args:
        image: see `encoded_bytes`.
        number: int, from 1.

    Returns:
        `(name, content)`, str and bytes.

    Raises:
        PhotographError: see `encoded_bytes`. It has the name.
    """
    name = os.fspath(image) if isinstance(image, (str, os.PathLike)) else f"#{number}"
    try:
        return name, encoded_bytes(image)
    except PhotographError as error:
        raise PhotographError(name, error.reason) from error


def checked_pixels(array: Any) -> np.ndarray:
    """Checks an array `[H, W, 3]` of uint8, or of floats in 0..255, and makes it float32.

    Raises:
        PhotographError: for another shape, dtype or range. Fractions without a value above 1 count
            as pixels in 0..1.
    """
    return _checked_array(array).astype(np.float32, copy=False)


def _checked_array(array):
    array = np.asarray(array)
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise PhotographError("array", f"an array of shape {list(array.shape)}, not [H, W, 3]")
    if not array.dtype.name.startswith(("uint8", "float", "bfloat")):
        raise PhotographError("array", f"an array of {array.dtype}, neither uint8 nor floats")
    if array.dtype != np.uint8:
        # NaN is neither, and rows are checked alone since a large array has no room for a second.
        if not (array.min() >= 0 and array.max() <= 255):
            raise PhotographError("array", "an array with values outside 0..255")
        if array.max() <= 1 and any(np.any(row % 1) for row in array):
            raise PhotographError("array", "an array in 0..1, not in 0..255")
    return array


def _from_array(array):
    height, width, channels = array.shape
    pixels = (
        np.rint(array[rows].astype(np.float32)).astype(np.uint8) for rows in strips(height, width)
    )
    return png_bytes(pixels, height, width, channels, _COMPRESS_LEVEL)


def _from_picture(picture: Image.Image) -> bytes:
    if picture.mode in ("I", "F"):
        raise PhotographError("PIL image", "32 bits per pixel, of which no range is known")
    try:
        return upright_png(picture, _COMPRESS_LEVEL)
    except Exception as error:  # a PIL image opened from a file is decoded only now
        raise PhotographError("PIL image", DAMAGED) from error
