"""Defines CroW: feature maps summed with weights across places and channels."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def crow(maps: ArrayLike) -> np.ndarray:
    """Computes the cross-dimensionally weighted (CroW) sum of feature maps.

    A place has the weight `sqrt(S / ||S||)`, where S is the sum of its channels and the norm is
    over all places. A channel has the weight `log(sum of all Q / Q)`, where Q is the share of
    places at which it is above 0, so that rare channels count more. The paper then applies
    `PCAWhitening`.

    Args:
        maps: float `[B, H, W, C]`, feature maps that are not negative, as after ReLU.

    Returns:
        float32 `[B, C]`, unit vectors.

    Raises:
        UserError: if `maps` have another shape or negative values.

    Example:

    >>> maps = np.array([[[[4.0, 0.0], [0.0, 3.0], [0.0, 0.0]]]])
    >>> vector = nfl.retrieval.descriptors.crow(maps)[0]  # Both channels are rare alike.
    >>> bool(np.isclose(vector[0] / vector[1], (4 / 3) ** 1.5))
    True

    Reference: Y. Kalantidis, C. Mellina, S. Osindero, Cross-dimensional weighting for aggregated
    deep convolutional features, ECCV Workshops 2016, sections 3.2 and 3.3, with a = b = 2.
    """
    maps = checked_maps(maps)
    if maps.min() < 0:
        raise UserError(
            f"CroW weighs feature maps that are not negative, and these have {maps.min():.4g}; "
            f"apply ReLU to them, or take spoc, rmac or scda."
        )
    sums = maps.sum(axis=3)
    norms = np.sqrt(np.square(sums).sum(axis=(1, 2), keepdims=True))
    places = np.sqrt(sums / np.where(norms > 0, norms, 1))
    shares = (maps > 0).mean(axis=(1, 2))
    # A channel that is 0 everywhere stays 0 under any weight.
    total = shares.sum(axis=1, keepdims=True)
    channels = np.log(np.where(shares > 0, total / np.where(shares > 0, shares, 1), 1))
    return unit_rows(np.einsum("bhwc,bhw->bc", maps, places, optimize=True) * channels)
