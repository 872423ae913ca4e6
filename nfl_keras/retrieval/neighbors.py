"""Exact nearest neighbors."""

import faiss
import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.checks import positive_int, unit_vectors
from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid
from nfl_keras.retrieval.self_exclusion import mask_own, own_positions

# Bounds the largest temporary array, in bytes.
BLOCK_BYTES = 2**26
# The number of faiss' candidates beyond the k + 1 needed. The similarity of the last candidate
# bounds that of every other vector, so more candidates settle more queries.
SPARE = 16


def neighbors(
    query: ArrayLike,
    gallery: ArrayLike,
    k: int,
    query_ids: ArrayLike | None = None,
    gallery_ids: ArrayLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the k gallery vectors of highest cosine similarity to each query.

    faiss finds the candidates. They are then sorted by their exact similarity, then by position
    in the gallery. The result is therefore the same on every machine, and is the head of the
    ranking that `evaluate` measures. Where faiss' float32 sums do not settle the k-th place, e.g.
    among many duplicates, the query is compared with the whole gallery.

    Args:
        query: float `[Q, D]`, unit vectors.
        gallery: float `[G, D]`, unit vectors.
        k: int. Neighbors per query.
        query_ids: integers or strings `[Q]`. The gallery item with a query's own id is never
            among its neighbors; duplicates under other ids are. Defaults to `None`: no item is
            left out.
        gallery_ids: integers or strings `[G]`, unique. Required with `query_ids`.

    Returns:
        indices: int64 `[Q, k]`, positions in the gallery, best first.
        similarities: float32 `[Q, k]`, never increasing along a row.

        Where fewer than k items remain, a row ends in index -1 and similarity -inf.

    Raises:
        UserError: if the vectors are not finite unit vectors of one dimension, or the ids do
            not fit them.

    Example:

    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> ids = ["a", "b", "c"]
    >>> indices, similarities = nfl.retrieval.neighbors(vectors, vectors, 1, ids, ids)
    >>> indices[:, 0].tolist()
    [1, 0, 1]
    """
    query = unit_vectors(query, "query")
    gallery = unit_vectors(gallery, "gallery", dimension=query.shape[1])
    own = own_positions(query_ids, gallery_ids, len(query), len(gallery))
    k = positive_int(k, "k")

    indices = np.full((len(query), k), -1, dtype=np.int64)
    values = np.full((len(query), k), -np.inf, dtype=np.float32)
    unsettled = np.arange(len(query))
    if k + 1 + SPARE < len(gallery):
        unsettled = _from_candidates(query, gallery, own, indices, values)
    if unsettled.size:
        _from_everything(query, gallery, own, indices, values, unsettled)
    indices[np.isneginf(values)] = -1
    return indices, values


def _from_candidates(
    query: np.ndarray,
    gallery: np.ndarray,
    own: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """Fills the rows that faiss' candidates settle, and returns the numbers of the others."""
    dimension, k = query.shape[1], indices.shape[1]
    bounds, candidates = faiss.knn(query, gallery, k + 1 + SPARE, faiss.METRIC_INNER_PRODUCT)
    # In position order, so that the stable sort below breaks ties by position.
    candidates.sort(axis=1)
    # Every other vector is no more similar than the last candidate, but for the rounding of a
    # float32 sum of D products (D * 2**-24 at most), of the grid and of the result.
    bounds = bounds[:, -1].astype(np.float64) + (dimension + 2) * 2.0**-23
    settled = np.zeros(len(query), dtype=bool)
    block = max(1, BLOCK_BYTES // (8 * dimension * candidates.shape[1]))
    for start in range(0, len(query), block):
        rows = slice(start, start + block)
        found = exact_similarity(
            round_to_grid(query[rows, None]), round_to_grid(gallery[candidates[rows]])
        )[:, 0]
        found[candidates[rows] == own[rows, None]] = -np.inf
        order = np.argsort(-found, axis=1, kind="stable")[:, :k]
        values[rows] = np.take_along_axis(found, order, axis=1)
        indices[rows] = np.take_along_axis(candidates[rows], order, axis=1)
        settled[rows] = values[rows, -1] > bounds[rows]
    return np.flatnonzero(~settled)


def _from_everything(
    query: np.ndarray,
    gallery: np.ndarray,
    own: np.ndarray,
    indices: np.ndarray,
    values: np.ndarray,
    numbers: np.ndarray,
) -> None:
    """Fills the rows of these numbers by ranking the whole gallery."""
    gallery = round_to_grid(gallery)
    count = min(indices.shape[1], len(gallery))
    block = max(1, BLOCK_BYTES // (8 * len(gallery)))
    for start in range(0, len(numbers), block):
        rows = numbers[start : start + block]
        found = exact_similarity(round_to_grid(query[rows]), gallery)
        mask_own(found, own[rows], -np.inf)
        order = np.argsort(-found, axis=1, kind="stable")[:, :count]
        values[rows, :count] = np.take_along_axis(found, order, axis=1)
        indices[rows, :count] = order
