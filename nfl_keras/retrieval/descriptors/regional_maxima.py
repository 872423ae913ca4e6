"""Defines the regions of R-MAC and the maxima of feature maps in them."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows

OVERLAP = 0.4
MOST_ALONG = 7


def regional_maxima(maps: ArrayLike, levels: int = 3) -> np.ndarray:
    """Computes the maximum of each channel in each region of R-MAC.

    Regions are square. Those of level l have the side `2 min(H, W) / (l + 1)`, rounded down, and
    are spread evenly: l along the shorter side, and l + m - 1 along the longer one. m, at most 7,
    is the number of the largest regions whose overlap with the next one is closest to 40 % of
    their area. It is 1 if the map is square.

    Args:
        maps: float `[B, H, W, C]`, feature maps.
        levels: int >= 1. Levels whose regions would be smaller than a place are left out. Defaults
            to `3`.

    Returns:
        float32 `[B, R, C]`, a unit vector per region, level by level: R is 14 for square maps and
        3 levels.

    Raises:
        UserError: if `maps` have another shape, or `levels` is below 1.

    Example:

    >>> maps = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> nfl.retrieval.descriptors.regional_maxima(maps, levels=2).shape
    (1, 5, 1)

    Reference: G. Tolias, R. Sicre, H. Jegou, Particular object retrieval with integral
    max-pooling of CNN activations, ICLR 2016, section 3.2.
    """
    maps = checked_maps(maps)
    _, height, width, _ = maps.shape
    return unit_rows(
        np.stack(
            [
                maps[:, top : top + side, left : left + side].max(axis=(1, 2))
                for top, left, side in regions(height, width, levels)
            ],
            axis=1,
        )
    )


def regions(height: int, width: int, levels: int) -> list[tuple[int, int, int]]:
    """Returns the regions of R-MAC.

    Args:
        height: int, of a feature map.
        width: int.
        levels: int, see `regional_maxima`.

    Returns:
        List of `(top, left, side)`, each int, level by level and from the top left.

    Raises:
        UserError: if `levels` is below 1.

    Example:

    >>> from nfl_keras.retrieval.descriptors.regional_maxima import regions
    >>> regions(3, 3, 2)
    [(0, 0, 3), (0, 0, 2), (0, 1, 2), (1, 0, 2), (1, 1, 2)]
    """
    if levels < 1:
        raise UserError(f"R-MAC needs levels of 1 or more, not {levels}.")
    shorter, longer = sorted((height, width))
    more = 0
    if longer > shorter:
        more = min(
            range(1, MOST_ALONG),
            key=lambda steps: abs(1 - (longer - shorter) / (steps * shorter) - OVERLAP),
        )
    found = []
    for level in range(1, levels + 1):
        side = 2 * shorter // (level + 1)
        if side:
            tops, lefts = (
                _starts(length, side, level + (more if length > shorter else 0))
                for length in (height, width)
            )
            found += [(top, left, side) for top in tops for left in lefts]
    return found


def _starts(length: int, side: int, count: int) -> list[int]:
    return [place * (length - side) // max(1, count - 1) for place in range(count)]
