"""Defines the settings of k-reciprocal re-ranking."""

import dataclasses
from typing import ClassVar

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.reranking.k_reciprocal_ranker import KReciprocalRanker
from nfl_keras.retrieval.reranking.rerank import Ranker, Rerank
from nfl_keras.retrieval.reranking.searched import Searched


@dataclasses.dataclass(frozen=True)
class KReciprocal(Rerank):
    """Re-ranks the most similar vectors by how much their neighborhoods share with the query's.

    N(p, k) is p itself and its k nearest neighbors, among the gallery without the query's own
    photograph, and with the query as one more vector. No other query is among them: the paper
    takes all queries of a test set as neighbors, which a search does not have.

    1. R(p, k) has the g of N(p, k) that have p in N(g, k). R*(p) is R(p, k1), to which each of its
       members c adds R(c, k1 / 2), half rounded down, if two thirds of that are in R(p, k1).
    2. The encoding of p is e^(-d(p, g)) for each g in R*(p), with d = 1 - cosine similarity, and 0
       elsewhere, divided by its sum. The mean over p and its k2 - 1 nearest neighbors replaces it.
    3. With x and y the encodings of the query and of p, their Jaccard distance is
       1 - sum_i min(x_i, y_i) / sum_i max(x_i, y_i). The ranking of the shortlist is by
       weight * d + (1 - weight) * (Jaccard distance), to 12 decimals, then by similarity.

    What is not on the shortlist follows by similarity.

    Args:
        k1: int, neighbors in a neighborhood. Defaults to `20`.
        k2: int, at most k1, encodings in a mean; 1 for no mean. Defaults to `6`.
        weight: float in 0..1, of the cosine distance; the paper's lambda. Defaults to `0.3`.
        shortlist: int, k1 or more, how many of the most similar vectors are re-ranked. Defaults
            to `100`.

    Raises:
        UserError: if a setting is out of its range.

    Example:

    >>> angles = np.deg2rad([20, 40, -30, -50, -60])
    >>> gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> rerank = nfl.retrieval.KReciprocal(k1=2, k2=2)
    >>> report = nfl.retrieval.evaluate(
    ...     np.array([[1.0, 0.0]]), [0], gallery, [0, 0, 1, 1, 1], rerank=rerank
    ... )
    >>> round(report.map, 3), report.reranked.map
    (0.833, 1.0)

    Reference: Zhong et al., *Re-ranking person re-identification with k-reciprocal encoding*,
    2017. As in its authors' program, an encoding has the sum 1. That program also divides d by its
    largest value in each column, which would take a matrix of all pairs.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3
    shortlist: int = 100
    name: ClassVar[str] = "k-reciprocal"

    def __post_init__(self) -> None:
        for setting in ("k1", "k2", "shortlist"):
            positive_int(getattr(self, setting), f"{setting} of a k-reciprocal re-ranking")
        if not self.k2 <= self.k1 <= self.shortlist:
            raise UserError(
                f"a k-reciprocal re-ranking needs k2 <= k1 <= shortlist, not {self.k2}, {self.k1} "
                f"and {self.shortlist}."
            )
        if not 0 <= self.weight <= 1:
            raise UserError(
                f"weight of a k-reciprocal re-ranking must be in 0..1, not {self.weight}."
            )

    def ranker(self, gallery: Searched) -> Ranker:
        return KReciprocalRanker(gallery, self.k1, self.k2, self.weight, self.shortlist)
