"""Evaluation of retrieval: every query against the whole gallery."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.progress import Progress
from nfl_keras.retrieval import metrics
from nfl_keras.retrieval.checks import integer_labels, positive_int, unit_vectors
from nfl_keras.retrieval.comparable_similarity import comparable_similarity
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.parse_rerank import parse_rerank
from nfl_keras.retrieval.reranking.rerank import Rerank
from nfl_keras.retrieval.reranking.searched import Searched
from nfl_keras.retrieval.retrieval_report import RetrievalReport
from nfl_keras.retrieval.self_exclusion import own_positions

# Bounds the similarities of one block of queries, in bytes; results do not depend on it.
BLOCK_BYTES = 2**27
BYTES_PER_PAIR = 4
# Re-ranking takes long, so that its progress is shown more often.
RERANKED_QUERIES = 64

AT_K = {
    "recall_at": metrics.recall_at,
    "precision_at": metrics.precision_at,
    "map_at": metrics.average_precision_at,
    "map_at_hits": metrics.average_precision_at_hits,
}


def evaluate(
    query: ArrayLike,
    query_labels: ArrayLike,
    gallery: ArrayLike | None = None,
    gallery_labels: ArrayLike | None = None,
    query_ids: ArrayLike | None = None,
    gallery_ids: ArrayLike | None = None,
    ks: Sequence[int] = (1, 2, 4, 8),
    protocol: str = "",
    rerank: Rerank | str | None = None,
) -> RetrievalReport:
    """Ranks the gallery for every query and measures the ranks of the items of its class.

    Rankings are exact. They are by cosine similarity, then by position in the gallery, and leave
    out the query's own photograph, which is found by its id. `neighbors` returns the heads of the
    same rankings. A query with nothing to find, e.g. the only photograph of a class, is left out
    of every mean; the report counts these queries. Takes O(Q G (D + log G)) time, and memory for
    a copy of the queries and a few blocks of 128 MiB, or of one query's rows if that is more.

    Args:
        query: float `[Q, D]`, unit vectors.
        query_labels: integers `[Q]`.
        gallery: float `[G, D]`, unit vectors. Defaults to the queries themselves, each
            against the rest.
        gallery_labels: integers `[G]`. Required with a `gallery`.
        query_ids: integers or strings `[Q]`. Defaults to positions without a `gallery`, and
            otherwise to `None`: no photograph is left out.
        gallery_ids: integers or strings `[G]`, unique. Required with both `gallery` and
            `query_ids`.
        ks: positive ints, in any order, the k of Recall@k and the other metrics. A k beyond the
            gallery's size is allowed; precision is then still divided by k. Defaults to
            `(1, 2, 4, 8)`.
        protocol: str. Which photographs are searched for among which, in words, for the report.
            Defaults to `""`.
        rerank: `nfl.retrieval.KReciprocal`, `nfl.retrieval.AlphaQueryExpansion`, or the text of
            one, see `nfl_keras.retrieval.reranking.parse_rerank`. The report then has a second one,
            `reranked`, of the rankings that `Gallery.search` gives with this re-ranking in the
            gallery without the query's own photograph. Defaults to `None`.

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
            raise UserError("gallery_labels is missing: pass the labels of the gallery.")
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
    own, query_labels = own[counted], query_labels[counted]
    skipped, query = len(query) - len(counted), query[counted]

    def report(rerank: Rerank | None, reranked: RetrievalReport | None = None) -> RetrievalReport:
        ranks = _ranks(
            query, gallery, query_labels, gallery_labels, own, num_relevant.max(), rerank
        )
        return RetrievalReport(
            **_measured(ranks, query_labels, ks),
            num_queries=len(query),
            num_skipped=skipped,
            num_gallery=len(gallery),
            protocol=protocol,
            reranked=reranked,
            rerank="" if rerank is None else str(rerank),
        )

    return report(None, None if rerank is None else report(parse_rerank(rerank)))


def _measured(
    ranks_of_blocks: Iterator[np.ndarray], query_labels: np.ndarray, ks: list[int]
) -> dict[str, Any]:
    """Returns the figures of a `RetrievalReport`."""
    blocks = []
    with Progress(len(query_labels), "queries evaluated") as progress:
        for ranks in progress.counted(ranks_of_blocks):
            at_k = [measure(ranks, k) for measure in AT_K.values() for k in ks]
            blocks.append(np.stack([metrics.average_precision(ranks), *at_k]))
    average_precision, *at_k = np.concatenate(blocks, axis=1)
    means = np.mean(at_k, axis=1).reshape(len(AT_K), len(ks))
    figures = {
        name: dict(zip(ks, row.tolist(), strict=True))
        for name, row in zip(AT_K, means, strict=True)
    }
    return {
        **figures,
        "map": float(average_precision.mean()),
        "per_class_map": _means_by_label(average_precision, query_labels),
    }


def _ranks(
    query: np.ndarray,
    gallery: np.ndarray,
    query_labels: np.ndarray,
    gallery_labels: np.ndarray,
    own: np.ndarray,
    width: int,
    rerank: Rerank | None,
) -> Iterator[np.ndarray]:
    """Yields `metrics.relevant_ranks` for one block of queries after another."""
    by_label = np.argsort(gallery_labels, kind="stable")
    first, after = (
        np.searchsorted(gallery_labels, query_labels, side, sorter=by_label)
        for side in ("left", "right")
    )
    searched = Searched(gallery, lambda vectors, k: nearest(vectors, gallery, k))
    ranker = None if rerank is None else rerank.ranker(searched)
    block = max(1, BLOCK_BYTES // (BYTES_PER_PAIR * len(gallery)))
    block = block if ranker is None else min(block, RERANKED_QUERIES)
    for start in range(0, len(query), block):
        rows = slice(start, start + block)
        of_label = (by_label[i:j] for i, j in zip(first[rows], after[rows], strict=True))
        relevant = [hits[hits != mine] for hits, mine in zip(of_label, own[rows], strict=True)]
        moved, head = query[rows], None
        if ranker is not None:
            moved, head = ranker(moved, own[rows])
        # Without a name, so that only one block's similarities are held at a time.
        yield metrics.relevant_ranks(
            _lifted(comparable_similarity(moved, gallery, relevant, own[rows]), head),
            relevant,
            width,
        )


def _lifted(similarities: np.ndarray, head: np.ndarray | None) -> np.ndarray:
    """Puts the positions of `head`, in its order, above all others, in place."""
    if head is not None:
        rows, places = np.nonzero(head >= 0)
        similarities[rows, head[rows, places]] = 2 + head.shape[1] - places
    return similarities


def _num_relevant(
    query_labels: np.ndarray, gallery_labels: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Counts the gallery items of each query's class, without its own photograph."""
    classes, sizes = np.unique(gallery_labels, return_counts=True)
    places = np.minimum(np.searchsorted(classes, query_labels), len(classes) - 1)
    counts = np.where(classes[places] == query_labels, sizes[places], 0)
    return counts - ((own >= 0) & (gallery_labels[own] == query_labels))


def _means_by_label(values: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    classes, numbers = np.unique(labels, return_inverse=True)
    means = np.bincount(numbers, weights=values) / np.bincount(numbers)
    return dict(zip(classes.tolist(), means.tolist(), strict=True))


def _checked_ks(ks: Sequence[int]) -> list[int]:
    try:
        checked = {positive_int(k, "each of ks") for k in ks}
    except TypeError:
        raise UserError(f"ks must be a sequence of positive ints, not {ks!r}.") from None
    if not checked:
        raise UserError("ks is empty: give at least one k, e.g. (1, 2, 4, 8).")
    return sorted(checked)
