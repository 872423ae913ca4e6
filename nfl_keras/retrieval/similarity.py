"""Exact cosine similarity: one value per pair, whatever the blocks, threads or machine."""

import numpy as np

from nfl_keras.errors import UserError

# A matrix product in floating point rounds each sum in an order of its own choosing, so equal
# rows need not get equal similarities. On this grid nothing is left to round: products are
# multiples of 2**-52, and every partial sum of unit vectors stays below 2, which float64 holds
# exactly. A component moves by 2**-27 at most, an eighth of float32's own step at 1.
GRID = 2.0**-26
UNIT_TOLERANCE = 1e-3


def unit_vectors(vectors, name, dimension=None):
    """Check embeddings and return them as float32.

    Args:
        vectors: float16, float32 or float64 `[N, D]`, every row of norm 1 within 1e-3.
        name: str. What the vectors are called in errors, such as `"query"`.
        dimension: int. The D they must have. Defaults to any.

    Returns:
        Contiguous float32 `[N, D]`.

    Raises:
        UserError: if there are no rows, or one of them is not a finite unit vector.
    """
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating):
        raise UserError(
            f"{name} embeddings must be floats of shape [N, D], not {vectors.dtype} of shape "
            f"{list(vectors.shape)}."
        )
    if not vectors.size:
        raise UserError(f"{name} embeddings of shape {list(vectors.shape)} are empty.")
    if dimension is not None and vectors.shape[1] != dimension:
        raise UserError(
            f"{name} embeddings have {vectors.shape[1]} dimensions and the query's {dimension}: "
            f"compute both with one embedder."
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise UserError(f"row {finite.argmin()} of the {name} embeddings has NaN or infinity.")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1)
    unit = np.abs(norms - 1) <= UNIT_TOLERANCE
    if not unit.all():
        row = unit.argmin()
        raise UserError(
            f"row {row} of the {name} embeddings has norm {norms[row]:.4g}, not 1: divide each "
            f"row by its norm."
        )
    return vectors


def on_grid(vectors):
    """Round unit vectors to the grid on which their products are exact.

    Args:
        vectors: float32 `[..., D]`, as `unit_vectors` returns them.

    Returns:
        float64 `[..., D]`.
    """
    vectors = np.divide(vectors, GRID, dtype=np.float64)
    np.rint(vectors, out=vectors)
    vectors *= GRID
    return vectors


def similarities(query, gallery):
    """Cosine similarity of each query with each gallery vector.

    The sum itself is exact and is rounded once, to float32. Equal vectors therefore tie
    exactly, and the same pair has the same similarity in any block.

    Args:
        query: float64 `[..., B, D]`, from `on_grid`.
        gallery: float64 `[..., G, D]`, from `on_grid`.

    Returns:
        float32 `[..., B, G]`.
    """
    return np.matmul(query, np.swapaxes(gallery, -1, -2)).astype(np.float32)
