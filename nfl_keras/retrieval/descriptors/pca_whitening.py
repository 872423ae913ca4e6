"""Defines the whitening of descriptors by principal components."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.models.principal_components import principal_components
from nfl_keras.retrieval.checks import finite_rows, positive_int
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


class PCAWhitening:
    """The principal components of descriptors, each divided by its deviation.

    It is learned from other photographs than those that are searched, such as the training split.

    Args:
        vectors: float `[N, C]`, N >= 2, descriptors to learn from.
        dimensions: int D <= C, the number of components kept. Defaults to `256`, or C if that is
            less.

    Call arguments:
        vectors: float `[..., C]`.

    Returns:
        float32 `[..., D]`, unit vectors.

    Raises:
        UserError: if the vectors cannot be learned from, or have fewer than `dimensions`
            numbers.

    Example:

    >>> vectors = np.random.default_rng(0).normal(size=(50, 8))
    >>> whitening = nfl.retrieval.descriptors.PCAWhitening(vectors, dimensions=4)
    >>> whitening(vectors[:3]).shape
    (3, 4)

    Reference: H. Jegou, O. Chum, Negative evidences and co-occurences in image retrieval: the
    benefit of PCA and whitening, ECCV 2012.
    """

    def __init__(self, vectors: ArrayLike, dimensions: int | None = None) -> None:
        vectors = finite_rows(vectors, "descriptors", "[N, C]")
        count, channels = vectors.shape
        if dimensions is None:
            dimensions = min(256, channels)
        if positive_int(dimensions, "dimensions") > channels or count < 2:
            raise UserError(
                f"whitening to {dimensions} dimensions needs at least 2 descriptors of as many "
                f"numbers, not {count} of {channels}; lower dimensions or add photographs."
            )
        mean, variances, components = principal_components(vectors, dimensions)
        self._matrix = components / np.sqrt(variances)
        self._offset = mean @ self._matrix

    def __call__(self, vectors: ArrayLike) -> np.ndarray:
        return unit_rows(np.asarray(vectors, np.float64) @ self._matrix - self._offset)
