"""A query set and the gallery set that its photographs are searched in."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.models import Learner
from nfl_keras.retrieval.classify import classify
from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.evaluate import evaluate
from nfl_keras.retrieval.reranking.rerank import Rerank
from nfl_keras.retrieval.retrieval_report import RetrievalReport


@dataclasses.dataclass(frozen=True)
class RetrievalTask:
    """A query set and a gallery set: each query is to find the gallery items of its class.

    Args:
        query: `ImageSet`.
        gallery: `ImageSet`. Replaced by `query` if both hold the same ids in the same order;
            each photograph is then searched for among the others.
        ks: positive ints, the k of Recall@k and the other metrics. Defaults to 1, 2, 4 and 8.

    Raises:
        UserError: if query and gallery number their classes differently, or if no query has
            anything to find.
    """

    query: ImageSet
    gallery: ImageSet
    ks: Sequence[int] = dataclasses.field(default=(1, 2, 4, 8), kw_only=True)

    def __post_init__(self) -> None:
        if np.array_equal(self.query.ids, self.gallery.ids):
            object.__setattr__(self, "gallery", self.query)
        if self.query.class_names != self.gallery.class_names:
            raise UserError(
                "query and gallery have different class names, so their labels cannot be compared; "
                "make both by `subset` of one ImageSet."
            )
        to_find = np.bincount(self.gallery.labels, minlength=len(self.gallery.class_names))
        itself = np.isin(self.query.ids, self.gallery.ids)
        if not np.any(to_find[self.query.labels] > itself):
            raise UserError(
                f"there is nothing to find, since no class has 2 photographs among the queries "
                f"and their gallery ({self.query.description}); add photographs, or choose another "
                f"protocol."
            )

    @property
    def description(self) -> str:
        """Which photographs are searched for among which, in words."""
        return self.query.description

    def embed(self, embedder: keras.Model, crops: int) -> tuple[np.ndarray, np.ndarray]:
        """Embeds queries and gallery, `(float32 [Q, D], float32 [G, D])`."""
        query = embed(embedder, self.query, crops)
        gallery = query if self.gallery is self.query else embed(embedder, self.gallery, crops)
        return query, gallery

    def classify(self, model: Learner, crops: int) -> np.ndarray:
        """Computes the queries' class probabilities, float32 `[Q, K]`, see `classify`."""
        return classify(model, self.query, crops)

    def evaluate(
        self,
        query_embeddings: np.ndarray,
        gallery_embeddings: np.ndarray,
        rerank: Rerank | str | None = None,
    ) -> RetrievalReport:
        """Evaluates the embeddings that `embed` returns, see `nfl.retrieval.evaluate`."""
        return evaluate(
            query_embeddings,
            self.query.labels,
            gallery_embeddings,
            self.gallery.labels,
            self.query.ids,
            self.gallery.ids,
            self.ks,
            protocol=self.description,
            rerank=rerank,
        )
