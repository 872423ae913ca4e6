"""Exclusion of a query's own photograph from its results, by id and never by position."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError


def own_positions(
    query_ids: ArrayLike | None, gallery_ids: ArrayLike | None, num_queries: int, num_gallery: int
) -> np.ndarray:
    """Finds each query's own photograph in the gallery.

    Args:
        query_ids: integers or strings `[num_queries]`, or None.
        gallery_ids: integers or strings `[num_gallery]`, unique, or None.
        num_queries: int.
        num_gallery: int.

    Returns:
        int64 `[num_queries]`, positions in the gallery; -1 for a query that is not in it, and
        for all queries without ids.

    Raises:
        UserError: if only one of the ids is given, an id repeats in the gallery, or lengths or
            types do not fit.
    """
    if query_ids is None and gallery_ids is None:
        return np.full(num_queries, -1, dtype=np.int64)
    if query_ids is None or gallery_ids is None:
        missing = "query_ids" if query_ids is None else "gallery_ids"
        raise UserError(f"{missing} is missing: give the ids of both sets, or of neither.")
    queries = _checked_ids(query_ids, num_queries, "query_ids")
    gallery = _checked_ids(gallery_ids, num_gallery, "gallery_ids")
    if isinstance(queries[0], int) != isinstance(gallery[0], int):
        raise UserError("query_ids and gallery_ids must both be integers or both be strings.")
    position_of: dict[int | str, int] = {}
    for position, item in enumerate(gallery):
        if position_of.setdefault(item, position) != position:
            raise UserError(f"the id {item!r} is given to two gallery items: ids must be unique.")
    return np.array([position_of.get(item, -1) for item in queries], dtype=np.int64)


def mask_own(matrix: np.ndarray, own: np.ndarray, value: Any) -> None:
    """Writes a value, in place, at each query's own photograph.

    Args:
        matrix: array `[B, G]`.
        own: int64 `[B]` from `own_positions`. A row with -1 stays as it is.
        value: the value.
    """
    rows = np.flatnonzero(own >= 0)
    matrix[rows, own[rows]] = value


def _checked_ids(ids: Any, count: int, name: str) -> list[Any]:
    ids = np.asarray(ids)
    if ids.dtype == object:
        ids = np.asarray(ids.tolist())
    if ids.shape != (count,):
        raise UserError(f"{name} has shape {list(ids.shape)} for {count:,} embeddings.")
    if ids.dtype.kind not in "iuUT":
        raise UserError(f"{name} must be integers or strings, not {ids.dtype}.")
    return ids.tolist()
