"""Photographs to try an exported model with."""

import io

import numpy as np
from PIL import Image

from nfl_keras.data import ImageSet
from nfl_keras.data.sources.blooms import blooms

# Of the square that the network sees: height, width, format.
_SHAPES = (
    (1.0, 1.0, "JPEG"),
    (1.0, 1.5, "JPEG"),
    (1.6, 1.2, "PNG"),
    (2.5, 3.5, "JPEG"),
    (0.6, 0.5, "PNG"),
    (1.0, 2.2, "WEBP"),
)


def sample_photographs(image_size):
    """Six drawn flowers, upright and lying, smaller and larger than the network sees them.

    Args:
        image_size: int, side of what the network sees.

    Returns:
        List of bytes, encoded images.
    """
    flowers = blooms(num_species=len(_SHAPES), images_per_species=1)
    photographs = []
    for position, (height, width, file_format) in enumerate(_SHAPES):
        size = max(round(width * image_size), 1), max(round(height * image_size), 1)
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(flowers.read(position))) as flower:
            flower.resize(size, Image.Resampling.BICUBIC).save(buffer, file_format)
        photographs.append(buffer.getvalue())
    return photographs


def as_image_set(photographs):
    """An `nfl.data.ImageSet` of encoded images, all of one class."""
    names = [f"sample {number}" for number in range(len(photographs))]
    labels = np.zeros(len(photographs), np.int32)
    return ImageSet(names, labels, ["samples"], photographs.__getitem__)
