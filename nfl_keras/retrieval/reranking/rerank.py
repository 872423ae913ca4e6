"""Defines what every re-ranking is."""

import abc
from collections.abc import Callable
from typing import ClassVar, TypeAlias

import numpy as np

from nfl_keras.retrieval.reranking.searched import Searched

Ranker: TypeAlias = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Rerank(abc.ABC):
    """The settings of a re-ranking, a dataclass.

    A re-ranking takes each query for itself: its answers are the same alone and among others.

    Attributes:
        name: str, its name in `parse_rerank`.
    """

    name: ClassVar[str]

    @abc.abstractmethod
    def ranker(self, gallery: Searched) -> Ranker:
        """Returns the function that ranks a gallery for queries.

        Args:
            gallery: `Searched`.

        Returns:
            Function from queries, float32 `[B, D]`, and their own positions in the gallery, int64
            `[B]`, with -1 for none, to `(query, head)`. The positions in `head`, int64 `[B, H]`,
            come first, up to a -1. All others follow by their similarity to the unit vectors in
            `query`, float32 `[B, D]`. A query's own position is not in `head`.
        """

    def __str__(self) -> str:
        settings = ",".join(f"{name}={value:g}" for name, value in self.settings().items())
        return f"{self.name}:{settings}"

    def settings(self) -> dict[str, float]:
        """Returns the settings by their names."""
        return dict(vars(self))
