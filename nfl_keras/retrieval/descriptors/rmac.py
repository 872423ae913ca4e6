"""Defines R-MAC: the sum of regional maxima of feature maps."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.descriptors.pca_whitening import PCAWhitening
from nfl_keras.retrieval.descriptors.regional_maxima import regional_maxima
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def rmac(maps: ArrayLike, whitening: PCAWhitening | None = None, levels: int = 3) -> np.ndarray:
    """Computes the regional maximum activations (R-MAC) of feature maps.

    It is the sum of the unit vectors of `regional_maxima`, each whitened before. As in the paper,
    the maxima of the whole of a map that is not square are no region of their own.

    Args:
        maps: float `[B, H, W, C]`, feature maps.
        whitening: `PCAWhitening` of the regions of other photographs. Defaults to `None`: none.
        levels: int >= 1, see `regional_maxima`. Defaults to `3`.

    Returns:
        float32 `[B, D]`, unit vectors. D is that of the whitening, or C without one.

    Raises:
        UserError: if `maps` have another shape, or `levels` is below 1.

    Example:

    >>> maps = np.random.default_rng(0).random((20, 7, 7, 8))
    >>> regions = nfl.retrieval.descriptors.regional_maxima(maps)
    >>> whitening = nfl.retrieval.descriptors.PCAWhitening(regions.reshape(-1, 8), dimensions=4)
    >>> nfl.retrieval.descriptors.rmac(maps, whitening).shape
    (20, 4)

    Reference: G. Tolias, R. Sicre, H. Jegou, Particular object retrieval with integral
    max-pooling of CNN activations, ICLR 2016, section 3.2.
    """
    regions = regional_maxima(maps, levels)
    if whitening is not None:
        regions = whitening(regions)
    return unit_rows(regions.sum(axis=1, dtype=np.float64))
