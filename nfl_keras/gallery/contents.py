"""Defines what a gallery searches in."""

import dataclasses

import numpy as np
import pyarrow as pa

from nfl_keras.gallery.manifest import Manifest
from nfl_keras.gallery.mapped_vectors import MappedVectors
from nfl_keras.gallery.where import Where, allowed_by
from nfl_keras.retrieval.nearest import nearest

# Answers up to which similarities are exact. Of more, that would take as long as the search.
_MOST_EXACT = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
    """One state of a gallery, which stays readable whatever is written later.

    `Gallery` knows no more of where vectors are kept than these attributes and `search`.

    Args:
        manifest: `Manifest`.
        items: `pyarrow.Table` of the photographs, sorted by `id`, with their `sha256`.
        left_out: `pyarrow.Table` of photographs that cannot be used, with the `reason`.
        vectors: `MappedVectors` `[N, D]`, in the order of `items`.
    """

    manifest: Manifest
    items: pa.Table
    left_out: pa.Table
    vectors: MappedVectors

    def search(
        self, query: np.ndarray, k: int, where: Where | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Finds the k most similar photographs of each query that fulfill the conditions.

        Args:
            query: float32 `[Q, D]`, unit vectors.
            k: int.
            where: conditions on `items`, see `allowed_by`. Defaults to `None`.

        Returns:
            Positions, int64 `[Q, k]`, and similarities, float32 `[Q, k]`, see
            `nfl_keras.retrieval.nearest`. They are exact for 100 neighbors or fewer.
        """
        allowed = None if where is None else allowed_by(where, self.items)
        exact = k <= _MOST_EXACT
        return nearest(query, self.vectors, k, allowed=allowed, exact=exact)
