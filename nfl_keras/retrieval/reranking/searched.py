"""Defines what a re-ranking asks of a gallery."""

import dataclasses
from collections.abc import Callable

import numpy as np

from nfl_keras.retrieval.nearest import Vectors


@dataclasses.dataclass(frozen=True)
class Searched:
    """A gallery as a re-ranking sees it, wherever its vectors are kept.

    Args:
        vectors: `Vectors` `[G, D]`.
        search: function from unit vectors, float32 `[B, D]`, and k to the positions, int64
            `[B, k]`, and similarities, float32 `[B, k]`, of the most similar vectors. Where fewer
            than k can be found, a row ends in position -1 and similarity -inf.
    """

    vectors: Vectors
    search: Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]

    def search_others(
        self, query: np.ndarray, k: int, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Finds the k most similar vectors other than each query's own.

        Args:
            query: float32 `[B, D]`, unit vectors.
            k: int.
            own: int64 `[B]`, the position that is left out for each query; -1 for none.

        Returns:
            Positions, int64 `[B, k]`, and similarities, float32 `[B, k]`.
        """
        if not (own >= 0).any():
            return self.search(query, k)
        positions, similarities = self.search(query, k + 1)
        left_out = (positions == own[:, None]) & (own >= 0)[:, None]
        left_out[:, -1] |= ~left_out.any(axis=1)
        return positions[~left_out].reshape(-1, k), similarities[~left_out].reshape(-1, k)
