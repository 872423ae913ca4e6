"""Defines the vectors of shards, which are read shard by shard."""

import functools
import pathlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nfl_keras.errors import UserError

# Shards whose vectors are in memory. Rows are read in the order of ids, which is that of shards.
_KEPT = 4


class ShardVectors:
    """The vectors of all shards, one after the other, `[N, D]`.

    Args:
        files: sequence of `pathlib.Path`, the shards.
        starts: int `[len(files) + 1]`, the first row of each shard, and N.
        dimension: int, D.
    """

    def __init__(self, files: Sequence[pathlib.Path], starts: np.ndarray, dimension: int) -> None:
        self._files, self._starts, self._dimension = files, starts, dimension
        self._read = functools.lru_cache(_KEPT)(self._of_file)

    def file_of(self, row: int) -> pathlib.Path:
        """Returns the shard that holds a row."""
        return self._files[int(self._number(np.array(row)))]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        numbers = self._number(rows)
        found = np.empty((len(rows), self._dimension), np.float32)
        for number in np.unique(numbers):
            here = numbers == number
            found[here] = self._read(int(number))[rows[here] - self._starts[number]]
        return found

    def _number(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._starts, rows, side="right") - 1

    def _of_file(self, number: int) -> np.ndarray:
        file = self._files[number]
        try:
            with pq.ParquetFile(file, page_checksum_verification=True) as opened:
                column = opened.read(["vector"])["vector"].combine_chunks()
        except (pa.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"the shard {str(file)!r} is damaged ({reason}); remove it and run nfl-keras "
                f"embed again, which embeds only what is missing."
            ) from error
        return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, self._dimension)
