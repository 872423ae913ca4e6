"""Checks of the arguments that the functions of this package share."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError

UNIT_TOLERANCE = 1e-3


def unit_vectors(vectors: ArrayLike, name: str, dimension: int | None = None) -> np.ndarray:
    """Checks embeddings and returns them as float32.

    Args:
        vectors: float16, float32 or float64 `[N, D]`, every row of norm 1 within 1e-3.
        name: str. What error messages call the embeddings, e.g. `"query"`.
        dimension: int. The required D. Defaults to `None`: any.

    Returns:
        Contiguous float32 `[N, D]`.

    Raises:
        UserError: if there are no rows, or one of them is not a finite unit vector.
    """
    vectors = finite_rows(vectors, f"{name} embeddings", "[N, D]")
    if dimension is not None and vectors.shape[1] != dimension:
        raise UserError(
            f"{name} embeddings have {vectors.shape[1]} dimensions and the query's {dimension}: "
            f"compute both with one embedder."
        )
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


def finite_rows(rows: ArrayLike, name: str, shape: str) -> np.ndarray:
    """Checks that an array has rows of finite floats, and returns it.

    Args:
        rows: floats, two-dimensional.
        name: str. What error messages call the array, e.g. `"probabilities"`.
        shape: str. What error messages call its shape, e.g. `"[N, K]"`.

    Returns:
        The array.

    Raises:
        UserError: for other shapes or dtypes, no rows, NaN or infinity.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
        raise UserError(
            f"{name} must be floats of shape {shape}, not {rows.dtype} of shape {list(rows.shape)}."
        )
    if not rows.size:
        raise UserError(f"{name} of shape {list(rows.shape)} are empty.")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise UserError(f"row {finite.argmin()} of the {name} has NaN or infinity.")
    return rows


def integer_labels(labels: ArrayLike, count: int, name: str, of: str = "embeddings") -> np.ndarray:
    """Checks class labels and returns them as int64.

    Args:
        labels: integers `[count]`, of any integer dtype.
        count: int. The required number of labels.
        name: str. What error messages call the labels, e.g. `"query_labels"`.
        of: str. What error messages call the labeled items. Defaults to `"embeddings"`.

    Returns:
        int64 `[count]`.

    Raises:
        UserError: for another number of labels, other dtypes, or labels beyond int64.
    """
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise UserError(f"{name} has shape {list(labels.shape)} for {count:,} {of}.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{name} must be integers, not {labels.dtype}.")
    if labels.max() > np.iinfo(np.int64).max:
        raise UserError(f"{name} has {labels.max()}, beyond 64-bit signed integers: renumber.")
    return labels.astype(np.int64)


def positive_int(number: Any, name: str) -> int:
    """Returns `number` as an int, or raises `UserError` unless it is a whole number above 0."""
    try:
        checked = operator.index(number)
    except TypeError:
        checked = 0
    if checked < 1:
        raise UserError(f"{name} must be a whole number of 1 or more, not {number!r}.")
    return checked
