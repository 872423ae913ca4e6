"""The metrics of retrieval, each a function of the ranks of the relevant items.

Each metric takes `ranks`, float64 `[Q, R]`. A row has the ranks, from 1, of the gallery items of
the query's class in the ranking of the whole gallery. They are in ascending order and followed by
inf. Each metric returns float64 `[Q]`; papers report the mean over the queries.
"""

from collections.abc import Sequence

import numpy as np


def relevant_ranks(
    similarities: np.ndarray, relevant: Sequence[np.ndarray], width: int
) -> np.ndarray:
    """Ranks the gallery for each query and returns the ranks of the relevant items.

    Args:
        similarities: float32 `[Q, G]`, without NaN. Equal ones rank by position.
        relevant: for each query the positions of its relevant items, integers, ascending.
        width: int. R, at least the number of relevant items of any query.

    Returns:
        `ranks`, float64 `[Q, R]`.
    """
    ranks = np.full((len(similarities), width), np.inf)
    for row, similarity, hits in zip(ranks, similarities, relevant, strict=True):
        if not hits.size:
            continue
        # The items after the last relevant one, often most of the gallery, change no rank.
        positions = np.flatnonzero(similarity >= similarity[hits].min())
        # One sort of integer keys ranks by (similarity, position). The bits of a float32, read as
        # an int32, sort like the float once a negative's are inverted. Adding 0 turns -0.0 into
        # 0.0.
        bits = (similarity[positions] + np.float32(0)).view(np.int32)
        ascending = bits ^ ((bits >> 31) & 0x7FFFFFFF)
        keys = (~ascending).astype(np.int64) << 32
        keys |= positions
        keys_of_hits = np.sort(keys[np.searchsorted(positions, hits)])
        keys.sort()
        row[: len(hits)] = np.searchsorted(keys, keys_of_hits) + 1
    return ranks


def recall_at(ranks: np.ndarray, k: int) -> np.ndarray:
    """Computes Recall@k of metric learning: 1 if any of the first k is relevant, else 0."""
    return np.asarray((ranks <= k).any(axis=1), dtype=np.float64)


def precision_at(ranks: np.ndarray, k: int) -> np.ndarray:
    """Computes the number of relevant items among the first k, divided by k in any gallery."""
    return np.count_nonzero(ranks <= k, axis=1) / k


def average_precision(ranks: np.ndarray) -> np.ndarray:
    """Computes the mean of the precisions at the ranks of all relevant items.

    With r_1 < r_2 < ... < r_R the ranks of the R relevant items, it is (1/R) sum_i i / r_i,
    without interpolation. A query without relevant items gets 0; `evaluate` leaves it out.
    """
    return _precisions(ranks).sum(axis=1) / np.maximum(_num_relevant(ranks), 1)


def average_precision_at(ranks: np.ndarray, k: int) -> np.ndarray:
    """Computes the average precision of the first k, divided by min(R, k)."""
    return _precisions(ranks, k).sum(axis=1) / np.clip(_num_relevant(ranks), 1, k)


def average_precision_at_hits(ranks: np.ndarray, k: int) -> np.ndarray:
    """Computes the average precision of the first k, divided by the hits among them.

    It is 0 without a hit. It does not count the relevant items that were missed: one hit, at
    rank 1, already gives 1.

    Reference: Wei et al., *Selective Convolutional Descriptor Aggregation for Fine-Grained Image
    Retrieval*, 2017.
    """
    hits = np.count_nonzero(ranks <= k, axis=1)
    return _precisions(ranks, k).sum(axis=1) / np.maximum(hits, 1)


def _num_relevant(ranks: np.ndarray) -> np.ndarray:
    return np.count_nonzero(np.isfinite(ranks), axis=1)


def _precisions(ranks: np.ndarray, k: float = np.inf) -> np.ndarray:
    """Returns the precision at each relevant item's rank, and 0 for ranks beyond k."""
    return np.where(ranks <= k, np.arange(1, ranks.shape[1] + 1) / ranks, 0.0)
