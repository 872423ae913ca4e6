"""The three image sets of a run."""

import dataclasses

import numpy as np

from nfl_keras.data import ImageSet, hold_out_validation, load
from nfl_keras.data.load import default_protocol
from nfl_keras.errors import UserError
from nfl_keras.retrieval import embed, evaluate


@dataclasses.dataclass(frozen=True)
class Splits:
    """What is trained on, what is searched for, and what it is searched among.

    Args:
        train: `ImageSet`.
        query: `ImageSet`.
        gallery: `ImageSet`; `query` itself where queries are searched among each other.
    """

    train: ImageSet
    query: ImageSet
    gallery: ImageSet

    @classmethod
    def load(cls, config):
        """The splits of a `TrainConfig` with one split seed.

        Raises:
            UserError: if the dataset cannot be used, or no query has anything to find.
        """
        source = (config.dataset, config.data_dir, config.protocol)
        (split_seed,) = config.split_seeds
        train = load(*source, split="train", seed=split_seed)
        if config.evaluate_on == "validation":
            protocol = config.protocol or default_protocol(config.dataset)
            train, validation = hold_out_validation(train, protocol, split_seed)
            return cls(train, validation, validation).checked()
        query = load(*source, split="query", seed=split_seed)
        gallery = load(*source, split="gallery", seed=split_seed)
        return cls(
            train, query, query if np.array_equal(query.ids, gallery.ids) else gallery
        ).checked()

    def checked(self):
        """These splits, once it is sure that some query has something to find."""
        to_find = np.bincount(self.gallery.labels, minlength=len(self.query.class_names))
        itself = self.gallery is self.query
        if not np.any(to_find[self.query.labels] > itself):
            raise UserError(
                f"there is nothing to find, since no class has 2 photographs among the queries "
                f"and their gallery ({self.query.protocol}); add photographs, or choose another "
                f"protocol."
            )
        return self

    def embed(self, embedder, crops):
        """Embeddings of queries and gallery, `(float32 [Q, D], float32 [G, D])`."""
        query = embed(embedder, self.query, crops)
        gallery = query if self.gallery is self.query else embed(embedder, self.gallery, crops)
        return query, gallery

    def evaluate(self, query_embeddings, gallery_embeddings):
        """The `RetrievalReport` of what `embed` gave."""
        return evaluate(
            query_embeddings,
            self.query.labels,
            gallery_embeddings,
            self.gallery.labels,
            self.query.ids,
            self.gallery.ids,
            protocol=self.query.protocol,
        )
