"""Defines vectors that stay in Milvus until they are asked for."""

import functools
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from nfl_keras.gallery.storage.folder.mapped_vectors import MappedVectors, write_vectors
from nfl_keras.gallery.storage.milvus.rows import Rows
from nfl_keras.progress import Progress

_BLOCK = 4096


class MilvusVectors:
    """`Vectors` of rows of a collection.

    Single rows are fetched. Who reads slices reads all of them, and again, so the first slice
    copies all vectors to a temporary file, which takes 4 D bytes of disk for each.

    Args:
        rows: `Rows`.
        numbers: int64 `[N]`.
    """

    def __init__(self, rows: Rows, numbers: np.ndarray) -> None:
        self._rows, self._numbers = rows, numbers
        self.shape: tuple[int, ...] = (len(numbers), rows.dimension)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, positions: Any) -> np.ndarray:
        if isinstance(positions, slice) or "_copy" in vars(self):
            return self._copy[positions]
        return self._rows.vectors(self._numbers[positions])

    @functools.cached_property
    def _copy(self) -> MappedVectors:
        with tempfile.TemporaryDirectory(prefix="nfl_keras-") as folder:
            path = pathlib.Path(folder) / "vectors.npy"
            write_vectors(path, self._blocks(), len(self), self.shape[1], "float32")
            return MappedVectors(path)  # The file is gone from its folder, and still mapped.

    def _blocks(self) -> Iterator[np.ndarray]:
        with Progress(len(self), "vectors fetched from Milvus") as progress:
            for start in range(0, len(self), _BLOCK):
                block = self._rows.vectors(self._numbers[start : start + _BLOCK])
                progress.add(len(block))
                yield block
