"""Defines how a photograph's pixels are decoded and turned upright, outside of a graph."""

import numpy as np

from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode, mirrored
from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError
from nfl_keras.data.tensorflow_on_cpu import tf


def upright_pixels(content: bytes, name: str) -> np.ndarray:
    """Decodes the pixels that training sees, upright.

    Args:
        content: bytes of a photograph.
        name: str, what messages call it.

    Returns:
        uint8 `[H, W, 3]`.

    Raises:
        PhotographError: if the photograph cannot be used, see `checked_bytes`, or is damaged.

    Example:

    >>> from nfl_keras.data.decoding.upright_pixels import upright_pixels
    >>> upright_pixels(nfl.data.load("blooms").read(0), "bloom.jpg").shape
    (96, 96, 3)
    """
    checked, orientation = checked_bytes(content, name)
    try:
        pixels = decode(checked).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise PhotographError(name, DAMAGED) from error
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    rows, columns = np.where(mirrored(orientation), -1, 1)
    return pixels[::rows, ::columns]
