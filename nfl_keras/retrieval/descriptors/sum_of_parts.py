"""Defines how the descriptors of crops and regions become one of the photograph."""

import numpy as np

from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def sum_of_parts(vectors: np.ndarray) -> np.ndarray:
    """Sums the unit vectors of a photograph's regions, and then of its crops.

    Args:
        vectors: float `[N, crops, D]`, or `[N, crops, R, D]` with R regions of each crop.

    Returns:
        float32 `[N, D]`, unit vectors. A sum of zeros stays one.

    Example:

    >>> from nfl_keras.retrieval.descriptors.sum_of_parts import sum_of_parts
    >>> sum_of_parts(np.array([[[3.0, 0.0], [0.0, 5.0]]])).round(3)
    array([[0.707, 0.707]], dtype=float32)
    """
    while vectors.ndim > 2:
        vectors = unit_rows(vectors.astype(np.float64)).sum(axis=-2)
    return unit_rows(vectors.astype(np.float64))
