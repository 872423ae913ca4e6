"""Defines what a gallery in a folder searches in."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nfl_keras.gallery.storage.contents import Found, not_in_gallery
from nfl_keras.gallery.storage.folder.mapped_vectors import MappedVectors
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.where import Where, allowed_by
from nfl_keras.retrieval.nearest import nearest

# Answers up to which similarities are exact. Of more, that would take as long as the search.
_MOST_EXACT = 100


@dataclasses.dataclass(frozen=True, eq=False)
class FolderContents:
    """One state of a gallery in a folder, see `nfl_keras.gallery.storage.contents`.

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

    def vectors_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the vectors of photographs, see `Contents`."""
        known = self.items["id"].combine_chunks()
        positions = [known.index(pa.scalar(item, pa.string())).as_py() for item in ids]
        if -1 in positions:
            raise not_in_gallery(ids[positions.index(-1)])
        return self.vectors[np.array(positions, np.int64)]

    def search(self, query: np.ndarray, k: int, where: Where | None = None) -> Found:
        """Finds the k most similar photographs of each query, see `Contents`."""
        allowed = None if where is None else allowed_by(where, self.items)
        exact = k <= _MOST_EXACT
        positions, similarities = nearest(query, self.vectors, k, allowed=allowed, exact=exact)
        return Found(positions, similarities, self.items, self.vectors)
