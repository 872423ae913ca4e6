"""Defines how the contents of a gallery are searched with a re-ranking."""

import numpy as np
import pyarrow.compute as pc

from nfl_keras.gallery.storage.contents import Contents, Found
from nfl_keras.gallery.where import Where
from nfl_keras.retrieval.reranking.parse_rerank import parse_rerank
from nfl_keras.retrieval.reranking.rerank import Rerank
from nfl_keras.retrieval.reranking.search_reranked import search_reranked
from nfl_keras.retrieval.reranking.searched import Searched


def search_contents(
    contents: Contents,
    query: np.ndarray,
    k: int,
    where: Where | None = None,
    rerank: Rerank | str | None = None,
) -> Found:
    """Finds the first k photographs of each query that fulfill the conditions.

    Args:
        contents: `Contents`. With a re-ranking, an engine elsewhere reads its items once.
        query: float32 `[Q, D]`, unit vectors.
        k: int.
        where: conditions, see `Contents.search`. Neighbors of photographs fulfill them, too.
            Defaults to `None`.
        rerank: see `Gallery.search`. Defaults to `None`.

    Returns:
        `Found`.

    Raises:
        UserError: if a condition or the re-ranking cannot be used.
    """
    if rerank is None:
        return contents.search(query, k, where)

    def search(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        found = contents.search(vectors, count, where)
        if found.items is contents.items:
            return found.positions, found.similarities
        # What was found is numbered anew in each search: its ids say which rows of `items` it is.
        known = contents.items["id"].combine_chunks()
        rows = pc.index_in(found.items["id"].combine_chunks(), value_set=known).to_numpy()
        return np.append(rows, -1)[found.positions].astype(np.int64), found.similarities

    searched = Searched(contents.vectors, search)
    positions, similarities = search_reranked(parse_rerank(rerank), query, k, searched)
    return Found(positions, similarities, contents.items, contents.vectors)
