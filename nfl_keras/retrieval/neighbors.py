"""Exact nearest neighbors."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.checks import positive_int, unit_vectors
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.self_exclusion import own_positions


def neighbors(
    query: ArrayLike,
    gallery: ArrayLike,
    k: int,
    query_ids: ArrayLike | None = None,
    gallery_ids: ArrayLike | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the k gallery vectors of highest cosine similarity to each query.

    They are sorted by their exact similarity, then by position in the gallery, see
    `nfl_keras.retrieval.nearest`. The result is therefore the same on every machine, and is the
    head of the ranking that `evaluate` measures.

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
    return nearest(query, gallery, positive_int(k, "k"), own)
