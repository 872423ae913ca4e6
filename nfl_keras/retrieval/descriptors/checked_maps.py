"""Defines the check of feature maps and images."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError


def checked_maps(maps: ArrayLike) -> np.ndarray:
    """Checks feature maps or images, and returns them to compute with.

    Args:
        maps: numbers `[B, H, W, C]`.

    Returns:
        float64 `[B, H, W, C]`.

    Raises:
        UserError: for other shapes, or where a size is 0.
    """
    maps = np.asarray(maps)
    if maps.ndim != 4 or 0 in maps.shape:
        raise UserError(
            f"feature maps and images must be [B, H, W, C], not of shape {list(maps.shape)}; "
            f"descriptors of maps need a backbone that gives them, not tokens or vectors."
        )
    return maps.astype(np.float64)
