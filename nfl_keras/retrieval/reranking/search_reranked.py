"""Defines a search whose answers are re-ranked."""

import numpy as np

from nfl_keras.progress import Progress
from nfl_keras.retrieval.nearest import candidate_similarity
from nfl_keras.retrieval.reranking.rerank import Rerank
from nfl_keras.retrieval.reranking.searched import Searched

# Queries that are ranked between two updates of the progress.
_QUERIES = 64


def search_reranked(
    rerank: Rerank, query: np.ndarray, k: int, gallery: Searched
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the first k vectors of a re-ranked gallery for each query.

    Args:
        rerank: `Rerank`.
        query: float32 `[Q, D]`, unit vectors.
        k: int.
        gallery: `Searched`.

    Returns:
        Positions, int64 `[Q, k]`, in the re-ranked order, and their cosine similarities to the
        query as it was given, float32 `[Q, k]`. Where fewer than k can be found, a row ends in
        position -1 and similarity -inf.
    """
    ranker = rerank.ranker(gallery)
    positions = np.empty((len(query), k), np.int64)
    similarities = np.empty((len(query), k), np.float32)
    with Progress(len(query), "queries re-ranked") as progress:
        for start in range(0, len(query), _QUERIES):
            part = slice(start, start + _QUERIES)
            moved, head = ranker(query[part], np.full(len(query[part]), -1))
            others, _ = gallery.search(moved, k)
            found = np.array([_first(k, *both) for both in zip(head, others, strict=True)])
            similar = candidate_similarity(query[part], gallery.vectors, np.maximum(found, 0))
            similar[found < 0] = -np.inf
            positions[part], similarities[part] = found, similar
            progress.add(len(found))
    return positions, similarities


def _first(k: int, head: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the first k of a head and the others after it, each once."""
    both = np.concatenate([head, others])
    both = both[both >= 0]
    _, places = np.unique(both, return_index=True)
    first = both[np.sort(places)[:k]]
    return np.append(first, np.full(k - len(first), -1))
