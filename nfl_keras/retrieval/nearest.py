"""Defines the exact search from which every list of neighbors comes."""

from collections.abc import Iterator
from typing import Any, Protocol

import faiss
import numpy as np

from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid, rounding_bound

# Bounds the largest temporary array, in bytes.
BLOCK_BYTES = 2**26
# Fits into a core's second cache.
CACHE_BYTES = 2**19
# The number of faiss' candidates beyond the k + 1 needed. The similarity of the last candidate
# bounds that of every other vector, so more candidates settle more queries.
SPARE = 8
_PRODUCT_QUERIES = 5
# Queries whose candidates are scored together.
_QUERIES = 256


class Vectors(Protocol):
    """Unit vectors `[G, D]`, float32 or float16: an array, or a file of which slices are read."""

    shape: tuple[int, ...]

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any) -> np.ndarray: ...


def nearest(
    query: np.ndarray,
    vectors: Vectors,
    k: int,
    own: np.ndarray | None = None,
    allowed: np.ndarray | None = None,
    exact: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the k vectors of highest cosine similarity to each query.

    faiss compares each query with all vectors, one block of them after another, and gives
    candidates. They are then sorted by their exact similarity, then by position. Where faiss'
    float32 sums do not settle the k-th place, e.g. among many duplicates, the query is compared
    with all vectors once more. Beside the results it takes some blocks of 64 MiB of memory.

    Args:
        query: float32 `[Q, D]`, contiguous, unit vectors.
        vectors: `Vectors`.
        k: int, at least 1.
        own: int64 `[Q]`, a position that is left out for each query; -1 for none. Defaults to
            `None`: none is left out.
        allowed: bool `[G]`, which vectors may be found. Defaults to `None`: all.
        exact: bool. If `False`, similarities are faiss' float32 sums, which differ from the exact
            ones by `rounding_bound(D)` at most, and vectors closer than that may change places.
            Where k is large this takes half of the time. Defaults to `True`.

    Returns:
        indices: int64 `[Q, k]`, positions, best first.
        similarities: float32 `[Q, k]`, never increasing along a row.

        Where fewer than k vectors remain, a row ends in index -1 and similarity -inf.

    Example:

    >>> from nfl_keras.retrieval.nearest import nearest
    >>> vectors = np.eye(3, dtype=np.float32)
    >>> nearest(vectors[:1], vectors, k=1, allowed=np.array([False, True, True]))[0]
    array([[1]])
    """
    own = np.full(len(query), -1) if own is None else own
    indices = np.full((len(query), k), -1, dtype=np.int64)
    values = np.full((len(query), k), -np.inf, dtype=np.float32)
    count = len(vectors) if allowed is None else int(np.count_nonzero(allowed))
    candidates = k + 1 + SPARE if exact else k + 1
    step = max(1, 4 * BLOCK_BYTES // (12 * candidates))
    for start in range(0, len(query), step):
        part = slice(start, start + step)
        found = query[part], vectors, own[part], allowed, indices[part], values[part]
        unsettled = np.arange(len(query[part]))
        if candidates < count:
            unsettled = _from_candidates(*found, candidates, exact)
        if unsettled.size and count:
            _from_everything(*found, unsettled)
    indices[np.isneginf(values)] = -1
    return indices, values


def _from_candidates(
    query: np.ndarray,
    vectors: Vectors,
    own: np.ndarray,
    allowed: np.ndarray | None,
    indices: np.ndarray,
    values: np.ndarray,
    count: int,
    exact: bool,
) -> np.ndarray:
    """Fills the rows that faiss' candidates settle, and returns the numbers of the others."""
    dimension, k = query.shape[1], indices.shape[1]
    found, candidates = _candidates(query, vectors, allowed, count)
    # Every other vector is no more similar than the last candidate, but for rounding.
    bound = rounding_bound(dimension)
    least = found[:, -1].astype(np.float64) + bound
    settled = np.zeros(len(query), dtype=bool)
    step = _QUERIES if exact else max(1, BLOCK_BYTES // (16 * count))
    for start in range(0, len(query), step):
        part = slice(start, start + step)
        similar, positions = found[part], candidates[part]
        if exact:
            # What is further below the k + 1st cannot be among the k, even without the query's own.
            needed = int((similar >= similar[:, k, None] - 2 * bound).sum(axis=1).max())
            positions = positions[:, :needed]
            similar = candidate_similarity(query[part], vectors, positions)
        similar[positions == own[part, None]] = -np.inf
        order = _by_similarity_then_position(similar, positions)[:, :k]
        values[part] = np.take_along_axis(similar, order, axis=1)
        indices[part] = np.take_along_axis(positions, order, axis=1)
        settled[part] = (values[part, -1] > least[part]) | (not exact)
    return np.flatnonzero(~settled)


def _candidates(
    query: np.ndarray, vectors: Vectors, allowed: np.ndarray | None, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the similarities and positions that faiss finds, the most similar first."""
    size = 4 * BLOCK_BYTES // (4 * query.shape[1])
    heap = faiss.ResultHeap(len(query), count, keep_max=True)
    for positions, rows in _blocks(vectors, allowed, size):
        found, places = _knn(query, rows, min(count, len(rows)))
        if len(vectors) <= size:
            return found, positions[places]
        heap.add_result(found, positions[places])
    heap.finalize()
    return heap.D, heap.I


def _knn(query: np.ndarray, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Calls `faiss.knn`, which multiplies matrices from `_PRODUCT_QUERIES` queries on.

    By itself faiss 1.15 does so from 128,000 numbers on, such as 500 queries of 256, and compares
    fewer one by one, which takes seven times as long.
    """
    before = faiss.cvar.distance_compute_blas_threshold
    if len(query) >= _PRODUCT_QUERIES:
        faiss.cvar.distance_compute_blas_threshold = 1
    try:
        return faiss.knn(query, rows, count, faiss.METRIC_INNER_PRODUCT)
    finally:
        faiss.cvar.distance_compute_blas_threshold = before


def candidate_similarity(query: np.ndarray, vectors: Vectors, candidates: np.ndarray) -> np.ndarray:
    """Computes `exact_similarity` of each query with candidates of its own.

    A group of a few rows stays in the processor's cache from its reading to its product.

    Args:
        query: float32 `[Q, D]`, unit vectors.
        vectors: `Vectors` `[G, D]`.
        candidates: int64 `[Q, C]`, positions.

    Returns:
        float32 `[Q, C]`.
    """
    (total, count), dimension = candidates.shape, query.shape[1]
    exact = np.empty((total, count), dtype=np.float32)
    rows = max(1, CACHE_BYTES // (8 * dimension))
    queries = max(1, rows // count)
    for start in range(0, total, queries):
        some = slice(start, start + queries)
        rounded = round_to_grid(query[some, None])
        for first in range(0, count, rows):
            part = candidates[some, first : first + rows]
            gathered = round_to_grid(vectors[part.ravel()]).reshape(*part.shape, dimension)
            exact[some, first : first + rows] = exact_similarity(rounded, gathered)[:, 0]
    return exact


def _by_similarity_then_position(exact: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Returns the order of each row, int64 `[Q, C]`."""
    order = np.argsort(-exact, axis=1, kind="stable")
    ordered = np.take_along_axis(exact, order, axis=1)
    for row in np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1)):
        order[row] = np.lexsort((candidates[row], -exact[row]))
    return order


def _from_everything(
    query: np.ndarray,
    vectors: Vectors,
    own: np.ndarray,
    allowed: np.ndarray | None,
    indices: np.ndarray,
    values: np.ndarray,
    numbers: np.ndarray,
) -> None:
    """Fills the rows of these numbers by ranking all vectors."""
    k = indices.shape[1]
    size = max(1, BLOCK_BYTES // (8 * query.shape[1]))
    step = max(1, BLOCK_BYTES // (8 * (min(size, len(vectors)) + k)))
    for start in range(0, len(numbers), step):
        part = numbers[start : start + step]
        rounded = round_to_grid(query[part])
        best = np.full((len(part), k), -np.inf, dtype=np.float32)
        places = np.full((len(part), k), -1, dtype=np.int64)
        for positions, rows in _blocks(vectors, allowed, size):
            found = exact_similarity(rounded, round_to_grid(rows))
            found[positions == own[part, None]] = -np.inf
            # Positions ascend from block to block, so that a stable sort breaks ties by them.
            both = np.concatenate([best, found], axis=1)
            order = np.argsort(-both, axis=1, kind="stable")[:, :k]
            best = np.take_along_axis(both, order, axis=1)
            numbered = np.concatenate([places, np.broadcast_to(positions, found.shape)], axis=1)
            places = np.take_along_axis(numbered, order, axis=1)
        values[part], indices[part] = best, places


def _blocks(
    vectors: Vectors, allowed: np.ndarray | None, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the positions and the rows, in float32, of one block of vectors after another."""
    size = max(1, size)
    for start in range(0, len(vectors), size):
        rows = vectors[start : start + size]
        positions = np.arange(start, start + len(rows))
        if allowed is not None:
            inside = np.flatnonzero(allowed[start : start + size])
            rows, positions = rows[inside], positions[inside]
        if len(rows):
            yield positions, np.ascontiguousarray(rows, dtype=np.float32)
