"""Queries and the gallery that they are searched in."""

import dataclasses

import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.retrieval.embed import embed
from nfl_keras.retrieval.evaluation import evaluate


@dataclasses.dataclass(frozen=True)
class Search:
    """What is searched for, and among what.

    Args:
        query: `ImageSet`.
        gallery: `ImageSet`; `query` itself where queries are searched among each other.

    Raises:
        UserError: if no query has anything to find.
    """

    query: ImageSet
    gallery: ImageSet

    def __post_init__(self):
        if np.array_equal(self.query.ids, self.gallery.ids):
            object.__setattr__(self, "gallery", self.query)
        query_labels, gallery_labels = self.labels()
        to_find = np.bincount(gallery_labels, minlength=1 + query_labels.max(initial=0))
        itself = np.isin(self.query.ids, self.gallery.ids)
        if not np.any(to_find[query_labels] > itself):
            raise UserError(
                f"there is nothing to find, since no class has 2 photographs among the queries "
                f"and their gallery ({self.query.description}); add photographs, or choose another "
                f"protocol."
            )

    @property
    def description(self):
        """Returns what is searched for, and under which protocol, in words."""
        return self.query.description

    def labels(self):
        """Labels of queries and gallery, `(int [Q], int [G])`, one numbering for both.

        The two sets number their classes each from 0, so classes are matched by name.
        """
        names = [*self.query.class_names, *self.gallery.class_names]
        numbers = np.unique(names, return_inverse=True)[1]
        of_query, of_gallery = np.split(numbers, [len(self.query.class_names)])
        return of_query[self.query.labels], of_gallery[self.gallery.labels]

    def embed(self, embedder, crops):
        """Embeddings of queries and gallery, `(float32 [Q, D], float32 [G, D])`."""
        query = embed(embedder, self.query, crops)
        gallery = query if self.gallery is self.query else embed(embedder, self.gallery, crops)
        return query, gallery

    def evaluate(self, query_embeddings, gallery_embeddings):
        """The `RetrievalReport` of what `embed` gave."""
        query_labels, gallery_labels = self.labels()
        return evaluate(
            query_embeddings,
            query_labels,
            gallery_embeddings,
            gallery_labels,
            self.query.ids,
            self.gallery.ids,
            protocol=self.description,
        )
