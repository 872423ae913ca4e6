"""Defines where the vectors of photographs come from: a model, or what one has embedded before."""

import abc
import hashlib

import numpy as np
import pyarrow as pa

from nfl_keras.gallery.photograph_model import PhotographModel
from nfl_keras.gallery.photographs import Photographs
from nfl_keras.gallery.probe import check_fingerprint, fingerprint
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.progress import Progress

# Photographs that are embedded before they are kept; a multiple of usual batch sizes, so that an
# index that was stopped makes the same batches as one that was not.
CHUNK = 256


class VectorSource(abc.ABC):
    """What gives the vectors of photographs to a gallery.

    Args:
        name: str, of the model that embeds them.
        crops: 3 or 1, crops of each photograph.
    """

    def __init__(self, name: str, crops: int) -> None:
        self.name, self.crops = name, crops

    @abc.abstractmethod
    def fingerprint(self) -> np.ndarray:
        """Returns the model's fingerprint `[2, D]`, see `nfl_keras.gallery.probe`."""

    @abc.abstractmethod
    def embed(
        self, photographs: Photographs, rows: np.ndarray, progress: Progress | None = None
    ) -> tuple[pa.Table, np.ndarray]:
        """Gives the vectors of some photographs.

        Args:
            photographs: `Photographs`.
            rows: int `[N]`, rows of them.
            progress: `Progress` that counts them. Defaults to `None`.

        Returns:
            `(items, vectors)`: a `pyarrow.Table` of the columns `id`, `bytes`, `modified`, `sha256`
            and `reason`, which is null where there is a vector; and float32 `[N, D]`.
        """

    def manifest(self, images: str | None, dtype: str = "float32") -> Manifest:
        """Returns the manifest of a new gallery."""
        vectors = self.fingerprint().astype(np.float64).round(6).tolist()
        return Manifest(self.name, vectors, self.crops, dtype, images)

    def check(self, manifest: Manifest, folder: str) -> None:
        """Checks that the model is that of a gallery, see `check_fingerprint`."""
        check_fingerprint(self.fingerprint(), self.name, self.crops, manifest, folder)


class ModelSource(VectorSource):
    """Embeds photographs by a model.

    Args:
        model: `PhotographModel`.
    """

    def __init__(self, model: PhotographModel) -> None:
        super().__init__(model.name, model.crops)
        self._model = model

    def fingerprint(self) -> np.ndarray:
        """See `VectorSource`."""
        return fingerprint(self._model)

    def embed(
        self, photographs: Photographs, rows: np.ndarray, progress: Progress | None = None
    ) -> tuple[pa.Table, np.ndarray]:
        """See `VectorSource`."""
        digests: dict[int, bytes] = {}

        def read(row: int) -> bytes:
            content = photographs.read(row)
            digests[row] = hashlib.sha256(content).digest()
            return content

        vectors, failed = self._model.embed(photographs.image_set(rows, read), progress)
        items = photographs.items.select(["id", "bytes", "modified"]).take(rows)
        sha256 = [digests.get(row) for row in rows.tolist()]
        reasons = [failed.get(position) for position in range(len(rows))]
        items = items.append_column("sha256", pa.array(sha256, pa.binary(32)))
        return items.append_column("reason", pa.array(reasons, pa.string())), vectors
