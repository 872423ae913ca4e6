"""The metrics of retrieval, each a function of where the relevant items rank.

All of them take `ranks`, float64 `[Q, R]`: for each query the places, from 1, of the gallery
items of its class in the ranking of the whole gallery, ascending, the row filled up with inf.
All return one value per query; their means over queries are the figures that papers report.
"""

import numpy as np


def relevant_ranks(similarities, relevant, width):
    """Rank the gallery for each query and say where the relevant items came.

    Args:
        similarities: float32 `[Q, G]`, without NaN. Equal ones rank by position.
        relevant: bool `[Q, G]`.
        width: int. R, at least the number of relevant items of any query.

    Returns:
        `ranks`, float64 `[Q, R]`.
    """
    # One sort of whole numbers ranks by (similarity, position) and carries relevance along:
    # the bits of a float32 order as an int32 does once those of negatives are turned over.
    # Adding 0 makes -0.0 the equal of 0.0.
    bits = (similarities + np.float32(0)).view(np.int32)
    ascending = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    keys = (~ascending).astype(np.int64) << 32
    keys |= np.arange(similarities.shape[1], dtype=np.int64) << 1
    keys |= relevant
    keys.sort(axis=1)
    rows, places = np.nonzero((keys & 1).astype(bool))

    counts = np.count_nonzero(relevant, axis=1)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    ranks = np.full((len(similarities), width), np.inf)
    ranks[rows, columns] = places + 1
    return ranks


def recall_at(ranks, k):
    """Recall@k as metric learning means it: 1 if any of the first k is relevant, else 0."""
    return (ranks <= k).any(axis=1).astype(np.float64)


def precision_at(ranks, k):
    """The share of relevant items among the first k; k stays the divisor in a smaller gallery."""
    return np.count_nonzero(ranks <= k, axis=1) / k


def average_precision(ranks):
    """The mean, over all relevant items, of the precision at each one's rank.

    With r_1 < r_2 < ... < r_R the ranks of the R relevant items, it is (1/R) sum_i i / r_i:
    no interpolation. A query without relevant items gets 0; `evaluate` leaves it out.
    """
    return _precisions(ranks).sum(axis=1) / np.maximum(_num_relevant(ranks), 1)


def average_precision_at(ranks, k):
    """Average precision of the first k, divided by min(R, k): 1 only if all k could be had."""
    return _precisions(ranks, k).sum(axis=1) / np.clip(_num_relevant(ranks), 1, k)


def average_precision_at_hits(ranks, k):
    """Average precision of the first k, divided by the hits among them, or 0 without a hit.

    The definition of the SCDA line of work (Wei et al., *Selective Convolutional Descriptor
    Aggregation for Fine-Grained Image Retrieval*, 2017). It does not count what was missed:
    one hit, at rank 1, already gives 1.
    """
    hits = np.count_nonzero(ranks <= k, axis=1)
    return _precisions(ranks, k).sum(axis=1) / np.maximum(hits, 1)


def _num_relevant(ranks):
    return np.count_nonzero(np.isfinite(ranks), axis=1)


def _precisions(ranks, k=np.inf):
    """The precision at the rank of each relevant item, 0 for those beyond k and the filling."""
    return np.where(ranks <= k, np.arange(1, ranks.shape[1] + 1) / ranks, 0.0)
