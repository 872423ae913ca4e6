"""Defines alpha query expansion."""

import dataclasses
import math
from typing import ClassVar

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.reranking.rerank import Ranker, Rerank
from nfl_keras.retrieval.reranking.searched import Searched

# A sum shorter than this has no direction but that of rounding.
_SHORTEST = 1e-3


@dataclasses.dataclass(frozen=True)
class AlphaQueryExpansion(Rerank):
    """Searches a second time, for the weighted mean of the query and its nearest neighbors.

    With v_1 ... v_n the gallery's nearest neighbors of the query q, it ranks by the cosine
    similarity to q + sum_i max(q . v_i, 0)^alpha v_i. An alpha of 0 gives all of them the weight
    1, which is average query expansion. Only vectors of the gallery enter the sum, never other
    queries, and never the query's own photograph.

    Args:
        n: int, neighbors in the sum. Defaults to `2`.
        alpha: float, 0 or more. Defaults to `1.0`.

    Raises:
        UserError: if a setting is out of its range.

    Example:

    >>> angles = np.deg2rad([20, 40, -30, -50, -60])
    >>> gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> rerank = nfl.retrieval.AlphaQueryExpansion(n=1)
    >>> report = nfl.retrieval.evaluate(
    ...     np.array([[1.0, 0.0]]), [0], gallery, [0, 0, 1, 1, 1], rerank=rerank
    ... )
    >>> round(report.map, 3), report.reranked.map
    (0.833, 1.0)

    References: Radenovic et al., *Fine-tuning CNN image retrieval with no human annotation*, 2018;
    with alpha 0: Chum et al., *Total recall*, 2007.
    """

    n: int = 2
    alpha: float = 1.0
    name: ClassVar[str] = "alpha-expansion"

    def __post_init__(self) -> None:
        positive_int(self.n, "n of an alpha expansion")
        if not (self.alpha >= 0 and math.isfinite(self.alpha)):
            raise UserError(f"alpha of an alpha expansion must be 0 or more, not {self.alpha}.")

    def ranker(self, gallery: Searched) -> Ranker:
        def expand(query: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            positions, similarities = gallery.search_others(query, self.n, own)
            weights = np.maximum(similarities, 0).astype(np.float64) ** self.alpha
            weights[positions < 0] = 0
            expanded = query.astype(np.float64)
            for place, weight in zip(positions.T, weights.T, strict=True):
                expanded += weight[:, None] * gallery.vectors[np.maximum(place, 0)]
            norms = np.linalg.norm(expanded, axis=1, keepdims=True)
            unit = np.divide(expanded, norms, out=expanded, where=norms > _SHORTEST)
            moved = np.where(norms > _SHORTEST, unit, query).astype(np.float32)
            return moved, np.empty((len(query), 0), np.int64)

        return expand
