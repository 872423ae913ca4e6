"""Leave a query's own photograph out of its answer: by id, never by position."""

import numpy as np

from nfl_keras.errors import UserError


def own_positions(query_ids, gallery_ids, num_queries, num_gallery):
    """Where each query's own photograph is in the gallery.

    Args:
        query_ids: integers or strings `[num_queries]`, or None.
        gallery_ids: integers or strings `[num_gallery]`, unique, or None.
        num_queries: int.
        num_gallery: int.

    Returns:
        int64 `[num_queries]`, -1 for a query that is not in the gallery.

    Raises:
        UserError: if only one is given, an id repeats in the gallery, or lengths or kinds
            differ.
    """
    if query_ids is None and gallery_ids is None:
        return np.full(num_queries, -1, dtype=np.int64)
    if query_ids is None or gallery_ids is None:
        missing = "query_ids" if query_ids is None else "gallery_ids"
        raise UserError(f"{missing} is missing: a query is recognized by its id in both sets.")
    query_ids = _checked_ids(query_ids, num_queries, "query_ids")
    gallery_ids = _checked_ids(gallery_ids, num_gallery, "gallery_ids")
    if isinstance(query_ids[0], int) != isinstance(gallery_ids[0], int):
        raise UserError("query_ids and gallery_ids must both be integers or both be strings.")
    position_of = {}
    for position, item in enumerate(gallery_ids):
        if position_of.setdefault(item, position) != position:
            raise UserError(f"the id {item!r} is given to two gallery items: ids must be unique.")
    return np.array([position_of.get(item, -1) for item in query_ids], dtype=np.int64)


def leave_out(matrix, own, value):
    """Write `value`, in place, where row i of `[B, G]` meets its own position `own[i]`, if any."""
    rows = np.flatnonzero(own >= 0)
    matrix[rows, own[rows]] = value


def _checked_ids(ids, count, name):
    ids = np.asarray(ids)
    if ids.dtype == object:
        ids = np.asarray(ids.tolist())
    if ids.shape != (count,):
        raise UserError(f"{name} has shape {list(ids.shape)} for {count:,} embeddings.")
    if ids.dtype.kind not in "iuUT":
        raise UserError(f"{name} must be integers or strings, not {ids.dtype}.")
    return ids.tolist()
