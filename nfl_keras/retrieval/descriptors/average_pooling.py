"""Defines the mean of feature maps as a descriptor."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def average_pooling(maps: ArrayLike) -> np.ndarray:
    """Computes the mean of feature maps over all places, with which other descriptors compare.

    Args:
        maps: float `[B, H, W, C]`, feature maps.

    Returns:
        float32 `[B, C]`, unit vectors.

    Raises:
        UserError: if `maps` have another shape.

    Example:

    >>> maps = np.array([[[[3.0, 0.0], [3.0, 8.0]]]])
    >>> print(nfl.retrieval.descriptors.average_pooling(maps))
    [[0.6 0.8]]
    """
    return unit_rows(checked_maps(maps).mean(axis=(1, 2)))
