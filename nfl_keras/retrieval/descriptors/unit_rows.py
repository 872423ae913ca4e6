"""Defines how vectors are divided by their norms."""

import numpy as np


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Divides vectors by their norms.

    Args:
        vectors: float64 `[..., D]`.

    Returns:
        float32 `[..., D]`, unit vectors. A vector of zeros stays one.
    """
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
