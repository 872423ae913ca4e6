"""Defines SPoC: feature maps summed with more weight in the center."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def spoc(maps: ArrayLike) -> np.ndarray:
    """Computes the sum-pooled convolutional features (SPoC) of feature maps.

    Each place has the weight `exp(-d^2 / (2 sigma^2))`, where d is its distance from the center
    of the map, and sigma is a third of the distance from the center to the closest side. The paper
    then applies `PCAWhitening` of 256 dimensions.

    Args:
        maps: float `[B, H, W, C]`, feature maps.

    Returns:
        float32 `[B, C]`, unit vectors.

    Raises:
        UserError: if `maps` have another shape.

    Example:

    >>> maps = np.zeros((1, 3, 3, 2))
    >>> maps[0, 1, 1, 0] = maps[0, 0, 1, 1] = 1  # The second place is 1 away, sigma is 1/2.
    >>> vector = nfl.retrieval.descriptors.spoc(maps)[0]
    >>> bool(np.isclose(vector[1] / vector[0], np.exp(-2)))
    True

    Reference: A. Babenko, V. Lempitsky, Aggregating deep convolutional features for image
    retrieval, ICCV 2015, equations 3 and 4.
    """
    maps = checked_maps(maps)
    height, width = maps.shape[1:3]
    sigma = min(height, width) / 6
    y, x = (np.exp(-(_from_center(side) ** 2) / (2 * sigma**2)) for side in (height, width))
    return unit_rows(np.einsum("bhwc,h,w->bc", maps, y, x, optimize=True))


def _from_center(side: int) -> np.ndarray:
    return np.arange(side) - (side - 1) / 2
