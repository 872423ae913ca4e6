"""Cosine similarity that is the same for a pair in any block, thread or machine."""

import numpy as np

# A matrix product in floating point rounds each sum in an order of its own choosing, so equal
# rows need not get equal similarities. On this grid nothing is left to round: products are
# multiples of 2**-52, and every partial sum of unit vectors stays below 2, which float64 holds
# exactly. A component moves by 2**-27 at most, an eighth of float32's own step at 1.
GRID = 2.0**-26
# Beside this number float64 has no finer step than the grid.
_SHIFT = 1.5 * 2.0**52 * GRID


def round_to_grid(vectors: np.ndarray) -> np.ndarray:
    """Rounds unit vectors to the grid on which their products are exact.

    Args:
        vectors: float32 `[..., D]`, as `unit_vectors` returns them.

    Returns:
        float64 `[..., D]`.
    """
    rounded = np.add(vectors, _SHIFT, dtype=np.float64)
    rounded -= _SHIFT
    return rounded


def rounding_bound(dimension: int) -> float:
    """Bounds how far a float32 product of two unit vectors is from their `exact_similarity`.

    The order of the sum does not matter. Its D products and additions round by D * 2**-24 at most,
    and the grid and the result's rounding add (sqrt(D) / 4 + 1) * 2**-24. What remains of the
    bound is for norms that are not quite 1, and for one more operation in float32.

    Args:
        dimension: int. D.

    Returns:
        float.
    """
    return (dimension + 2) * 2.0**-23


def exact_similarity(query: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Computes the cosine similarity of each query with each gallery vector.

    The sum itself is exact and is rounded once, to float32. Equal vectors therefore tie
    exactly, and the same pair has the same similarity in any block.

    Args:
        query: float64 `[..., B, D]`, from `round_to_grid`.
        gallery: float64 `[..., G, D]`, from `round_to_grid`.

    Returns:
        float32 `[..., B, G]`.
    """
    return np.matmul(query, np.swapaxes(gallery, -1, -2)).astype(np.float32)
