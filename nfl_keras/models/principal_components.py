"""Defines the principal components of vectors."""

import numpy as np

from nfl_keras.errors import UserError


def principal_components(
    vectors: np.ndarray, dimensions: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Computes the first principal components of vectors.

    Fewer vectors than dimensions leave components of noise. So that dividing by their deviations
    does not enlarge them, no variance is less than a thousandth of the largest.

    Args:
        vectors: float `[N, C]`, N >= 2.
        dimensions: int D <= C.

    Returns:
        `(mean, variances, components)`: float64 `[C]`; float64 `[D]`, descending; and float64
        `[C, D]`, orthonormal columns whose largest entry is positive.

    Raises:
        UserError: if the vectors are all the same or not finite.

    Example:

    >>> from nfl_keras.models.principal_components import principal_components
    >>> mean, variances, components = principal_components(np.array([[1.0, 5], [1, 7]]), 1)
    >>> mean, variances, components.ravel()
    (array([1., 6.]), array([2.]), array([0., 1.]))
    """
    vectors = np.asarray(vectors, np.float64)
    if not np.isfinite(vectors).all() or np.ptp(vectors, axis=0).max() == 0:
        raise UserError(
            "the features of the photographs do not differ or are not finite, so that they have no "
            "principal components; look at the backbone and its pixels, or do without components."
        )
    variances, components = np.linalg.eigh(np.cov(vectors, rowvar=False))
    variances, components = variances[::-1][:dimensions], components[:, ::-1][:, :dimensions]
    largest = np.abs(components).argmax(axis=0)
    signs = np.sign(components[largest, np.arange(dimensions)])
    return vectors.mean(axis=0), np.maximum(variances, 1e-3 * variances[0]), components * signs
