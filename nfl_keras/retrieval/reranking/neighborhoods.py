"""Defines the nearest neighbors of a gallery's own vectors."""

import numpy as np

from nfl_keras.retrieval.reranking.searched import Searched


class Neighborhoods:
    """The nearest neighbors of each vector of a gallery, searched for when they are first needed.

    Takes 12 bytes for each neighbor that was searched for.

    Args:
        gallery: `Searched`.
        k: int, neighbors of a vector, itself not counted.
    """

    def __init__(self, gallery: Searched, k: int) -> None:
        self._gallery, self._k = gallery, k
        size = len(gallery.vectors)
        self._positions = np.empty((size, k), np.int64)
        self._similarities = np.empty((size, k), np.float32)
        self._known = np.zeros(size, bool)

    def of(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the neighbors of vectors of the gallery.

        Args:
            vectors: int64 `[N]`, positions, each once.

        Returns:
            Positions, int64 `[N, k]`, and similarities, float32 `[N, k]`, see `Searched`.
        """
        missing = vectors[~self._known[vectors]]
        if missing.size:
            query = np.ascontiguousarray(self._gallery.vectors[missing], np.float32)
            found = self._gallery.search_others(query, self._k, missing)
            self._positions[missing], self._similarities[missing] = found
            self._known[missing] = True
        return self._positions[vectors], self._similarities[vectors]
