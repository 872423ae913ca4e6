"""Defines what an index has embedded so far, kept until its gallery is written."""

import os
import pathlib
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nfl_keras.files import remove_partial, replacing

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "bytes": pa.int64(),
        "modified": pa.int64(),
        "sha256": pa.binary(32),
        "reason": pa.string(),
    }
)


class Unfinished:
    """Embedded photographs in chunks, each there whole or not at all.

    Args:
        folder: `pathlib.Path`. It is made with the first chunk.
        dimension: int, D.
        dtype: str, of the vectors.
    """

    def __init__(self, folder: pathlib.Path, dimension: int, dtype: str) -> None:
        self._folder, self._path = folder, folder / "vectors.bin"
        self._dimension, self._dtype = dimension, np.dtype(dtype)
        if folder.exists():
            remove_partial(folder)
        self._count = len(self.items())

    def append(self, items: pa.Table, vectors: np.ndarray) -> None:
        """Keeps a chunk.

        Args:
            items: `pyarrow.Table` of `SCHEMA`. `reason` is null where there is a vector.
            vectors: `[N, D]`.
        """
        self._folder.mkdir(exist_ok=True)
        with open(self._path, "ab") as file:
            # A process that was killed may have written vectors of a chunk that is not there.
            file.truncate(self._count * self._dimension * self._dtype.itemsize)
            file.write(np.ascontiguousarray(vectors, self._dtype).data)
            file.flush()
            os.fsync(file.fileno())
        with replacing(self._folder / f"{len(self._files()):08d}.parquet") as partial:
            pq.write_table(items, partial)
        self._count += len(items)

    def items(self) -> pa.Table:
        """Returns all items, in the order of their chunks."""
        parts = [pq.read_table(file) for file in self._files()]
        return pa.concat_tables([SCHEMA.empty_table(), *parts])

    def vectors(self, count: int) -> np.ndarray:
        """Returns the vectors of the first `count` items, `[count, D]`, memory-mapped."""
        shape = (count, self._dimension)
        if not count:
            return np.empty(shape, self._dtype)
        return np.memmap(self._path, self._dtype, "r", shape=shape)

    def remove(self) -> None:
        """Removes all chunks."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> list[pathlib.Path]:
        return sorted(self._folder.glob("[0-9]*.parquet"))
