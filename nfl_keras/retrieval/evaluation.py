"""Measure retrieval: every query against the whole gallery."""

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.retrieval import metrics
from nfl_keras.retrieval.labels import integer_labels
from nfl_keras.retrieval.neighbors import positive_int
from nfl_keras.retrieval.retrieval_report import RetrievalReport
from nfl_keras.retrieval.self_exclusion import leave_out, own_positions
from nfl_keras.retrieval.similarity import on_grid, similarities, unit_vectors

# Bounds the arrays of one block of queries, in bytes; results do not depend on it.
BLOCK_BYTES = 2**28
# What a query and a gallery item take in a block at its peak: the product in float64 and
# float32, the comparison of labels, and the sort keys with their copies.
BYTES_PER_PAIR = 40

AT_K = {
    "recall_at": metrics.recall_at,
    "precision_at": metrics.precision_at,
    "map_at": metrics.average_precision_at,
    "map_at_hits": metrics.average_precision_at_hits,
}


def evaluate(
    query,
    query_labels,
    gallery=None,
    gallery_labels=None,
    query_ids=None,
    gallery_ids=None,
    ks=(1, 2, 4, 8),
    protocol="",
):
    """Rank the gallery for every query and measure where the items of its class come.

    Rankings are exact: by cosine similarity, ties by position in the gallery, the query's own
    photograph left out by its id. They begin with what `neighbors` returns. Queries with
    nothing to find, such as the only photograph of a class, are left out of every mean and
    counted. Takes O(Q G (D + log G)) time, and memory for a float64 copy of the gallery and a
    block of 256 MiB, or of one query if that is more.

    Args:
        query: float `[Q, D]`, unit vectors.
        query_labels: integers `[Q]`.
        gallery: float `[G, D]`, unit vectors. Defaults to the queries themselves, each
            against the rest.
        gallery_labels: integers `[G]`. Given with `gallery`.
        query_ids: integers or strings `[Q]`. Defaults to positions when there is no
            `gallery`, else to none: nothing is left out.
        gallery_ids: integers or strings `[G]`, unique. Given with both `gallery` and
            `query_ids`, or not at all.
        ks: positive ints, in any order. Lengths at which lists of results are judged. Beyond
            the gallery's end they find nothing more: recall is 1, `map_at` is `map`, and
            precision is still divided by k.
        protocol: str. What is compared with what, in words, for the report.

    Returns:
        A `RetrievalReport`.

    Raises:
        UserError: if the vectors, labels, ids or ks cannot be used, or no query has anything
            to find.

    Example:

    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    >>> nfl.retrieval.evaluate(vectors, [0, 0, 1, 1], ks=[1]).recall_at
    {1: 0.5}
    """
    ks = _checked_ks(ks)
    query = unit_vectors(query, "query")
    query_labels = integer_labels(query_labels, len(query), "query_labels")
    if gallery is None:
        if gallery_labels is not None or gallery_ids is not None:
            raise UserError("gallery_labels and gallery_ids need a gallery: pass one, or neither.")
        gallery, gallery_labels = query, query_labels
        query_ids = np.arange(len(query)) if query_ids is None else query_ids
        gallery_ids = query_ids
    else:
        if gallery_labels is None:
            raise UserError("gallery_labels is missing: a gallery is given with its labels.")
        gallery = unit_vectors(gallery, "gallery", dimension=query.shape[1])
        gallery_labels = integer_labels(gallery_labels, len(gallery), "gallery_labels")
    own = own_positions(query_ids, gallery_ids, len(query), len(gallery))

    num_relevant = _num_relevant(query_labels, gallery_labels, own)
    counted = np.flatnonzero(num_relevant)
    if not counted.size:
        raise UserError(
            "no query has another item of its class in the gallery: there is nothing to find. "
            "Check that both sets are labeled alike."
        )
    query_labels = query_labels[counted]
    blocks = []
    for ranks in _ranks(
        query[counted], gallery, query_labels, gallery_labels, own[counted], num_relevant.max()
    ):
        at_k = [measure(ranks, k) for measure in AT_K.values() for k in ks]
        blocks.append(np.stack([metrics.average_precision(ranks), *at_k]))
    average_precision, *at_k = np.concatenate(blocks, axis=1)
    means = np.mean(at_k, axis=1).reshape(len(AT_K), len(ks))
    return RetrievalReport(
        **{
            name: dict(zip(ks, row.tolist(), strict=True))
            for name, row in zip(AT_K, means, strict=True)
        },
        map=float(average_precision.mean()),
        per_class_map=_means_by_label(average_precision, query_labels),
        num_queries=len(counted),
        num_skipped=len(query) - len(counted),
        num_gallery=len(gallery),
        protocol=protocol,
    )


def _ranks(query, gallery, query_labels, gallery_labels, own, width):
    """Yield `metrics.relevant_ranks` of one block of queries after another."""
    gallery = on_grid(gallery)
    block = max(1, BLOCK_BYTES // (BYTES_PER_PAIR * len(gallery)))
    for start in range(0, len(query), block):
        rows = slice(start, start + block)
        found = similarities(on_grid(query[rows]), gallery)
        leave_out(found, own[rows], -np.inf)
        relevant = query_labels[rows, None] == gallery_labels
        leave_out(relevant, own[rows], False)
        yield metrics.relevant_ranks(found, relevant, width)


def _num_relevant(query_labels, gallery_labels, own):
    """The gallery items of each query's class, its own not among them."""
    classes, sizes = np.unique(gallery_labels, return_counts=True)
    places = np.minimum(np.searchsorted(classes, query_labels), len(classes) - 1)
    counts = np.where(classes[places] == query_labels, sizes[places], 0)
    return counts - ((own >= 0) & (gallery_labels[own] == query_labels))


def _means_by_label(values, labels):
    classes, numbers = np.unique(labels, return_inverse=True)
    means = np.bincount(numbers, weights=values) / np.bincount(numbers)
    return dict(zip(classes.tolist(), means.tolist(), strict=True))


def _checked_ks(ks):
    try:
        ks = {positive_int(k, "each of ks") for k in ks}
    except TypeError:
        raise UserError(f"ks must be a sequence of positive ints, not {ks!r}.") from None
    if not ks:
        raise UserError("ks is empty: give at least one length, such as (1, 2, 4, 8).")
    return sorted(ks)
