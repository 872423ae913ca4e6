"""Defines SCDA: feature maps pooled over the object alone."""

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike

from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def scda(maps: ArrayLike) -> np.ndarray:
    """Computes the selective convolutional descriptor aggregation (SCDA) of feature maps.

    Places count whose sum over channels is above the mean of these sums, and of these only the
    largest group of places that touch each other at a side or a corner: the first from the top
    left if several are as large. The mean and the maximum over them stand side by side.

    Args:
        maps: float `[B, H, W, C]`, feature maps.

    Returns:
        float32 `[B, 2 C]`, unit vectors. All places count in a map whose sums are all the same.

    Raises:
        UserError: if `maps` have another shape.

    Example:

    >>> maps = np.zeros((1, 3, 5, 1))
    >>> maps[0, 0, 0], maps[0, 1, 1], maps[0, 2, 4] = 1, 3, 9  # The corner at the right is alone.
    >>> vector = nfl.retrieval.descriptors.scda(maps)[0]
    >>> bool(np.allclose(vector, np.array([2, 3]) / np.sqrt(13)))
    True

    Reference: X.-S. Wei, J.-H. Luo, J. Wu, Z.-H. Zhou, Selective convolutional descriptor
    aggregation for fine-grained image retrieval, IEEE TIP 26(6), 2017, sections III-B and III-C.
    """
    maps = checked_maps(maps)
    pooled = []
    for of_image, sums in zip(maps, maps.sum(axis=3), strict=True):
        chosen = of_image[_object(sums)]
        pooled.append(np.concatenate([chosen.mean(axis=0), chosen.max(axis=0)]))
    return unit_rows(np.stack(pooled))


def _object(sums: np.ndarray) -> np.ndarray:
    above = sums > sums.mean()
    if not above.any():
        return ~above
    groups, _ = scipy.ndimage.label(above, structure=np.ones((3, 3)))
    return groups == np.bincount(groups.ravel())[1:].argmax() + 1
