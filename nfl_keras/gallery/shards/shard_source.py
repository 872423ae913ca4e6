"""Defines a source of vectors that were embedded before."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError
from nfl_keras.gallery.photographs import Photographs
from nfl_keras.gallery.shards.shard_vectors import ShardVectors
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.unfinished import SCHEMA
from nfl_keras.gallery.vector_source import VectorSource
from nfl_keras.progress import Progress

# How far the norm of a unit vector in float32 may be from 1.
_TOLERANCE = 1e-3


class ShardSource(VectorSource):
    """Takes the vectors of photographs from shards.

    Args:
        manifest: `Manifest` of the shards.
        known: `pyarrow.Table` of the photographs, with `sha256` and `reason`.
        vectors: `ShardVectors`.
        order: int `[N]`, the row in `vectors` of each photograph.
    """

    def __init__(
        self,
        manifest: Manifest,
        known: pa.Table,
        vectors: ShardVectors,
        order: np.ndarray,
    ) -> None:
        super().__init__(manifest.model, manifest.crops)
        self._manifest, self._known = manifest, known.select(SCHEMA.names)
        self._vectors, self._order = vectors, order

    def fingerprint(self) -> np.ndarray:
        """See `VectorSource`."""
        return np.array(self._manifest.fingerprint)

    def embed(
        self, photographs: Photographs, rows: np.ndarray, progress: Progress | None = None
    ) -> tuple[pa.Table, np.ndarray]:
        """See `VectorSource`.

        Raises:
            UserError: if a shard is damaged.
        """
        items = self._known.take(rows)
        vectors = self._vectors[self._order[rows]]
        is_good = pc.is_null(items["reason"]).to_numpy()
        norms = np.linalg.norm(vectors[is_good].astype(np.float64), axis=1)
        lost = np.flatnonzero(~(np.abs(norms - 1) < _TOLERANCE))
        if lost.size:
            row = self._order[rows[np.flatnonzero(is_good)[lost[0]]]]
            raise UserError(
                f"the shard {str(self._vectors.file_of(int(row)))!r} holds a vector whose norm is "
                f"not 1; remove it and run nfl-keras embed again."
            )
        if progress is not None:
            progress.add(len(rows))
        return items, vectors
