"""Defines a matrix of vectors on the disk, of which only what is read takes memory."""

import mmap
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from nfl_keras.errors import UserError

# A file of this size may stay in memory, since a search reads blocks of that size.
_BLOCK_BYTES = 2**28


class MappedVectors:
    """A memory-mapped `.npy` file of vectors `[N, D]`.

    Of a large file a slice takes memory until the next is read, so that a pass over the file takes
    no more than one of its blocks. Single rows are read without the map, since the system would map
    up to 2 MiB of the file around each.

    Args:
        path: `pathlib.Path`.

    Attributes:
        shape: `(N, D)`.
        dtype: `np.dtype`.

    Raises:
        UserError: if the file is not what `write_vectors` wrote.
    """

    def __init__(self, path: pathlib.Path) -> None:
        try:
            with open(path, "rb") as file:
                np.lib.format.read_magic(file)
                header = np.lib.format.read_array_header_1_0(file)
                self.shape, _, self.dtype = header
                start, count = file.tell(), int(np.prod(self.shape))
                self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._all = np.frombuffer(self._mapped, self.dtype, count, start).reshape(
                    self.shape
                )
                self._file, self._start = os.dup(file.fileno()), start
        except FileNotFoundError:
            raise
        except (OSError, ValueError) as error:
            raise UserError(
                f"{str(path)!r} is not what the gallery wrote ({error}); index anew into another "
                f"folder."
            ) from error

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> np.ndarray:
        if self._all.nbytes <= _BLOCK_BYTES:
            return self._all[rows]
        if isinstance(rows, slice):
            if hasattr(mmap, "MADV_DONTNEED"):
                self._mapped.madvise(mmap.MADV_DONTNEED)
            return self._all[rows]
        found = np.empty((len(rows), self.shape[1]), self.dtype)
        row_bytes = found.itemsize * self.shape[1]
        for target, row in zip(found, rows.tolist(), strict=True):
            os.preadv(self._file, [target], self._start + row * row_bytes)
        return found

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)


def write_vectors(
    path: pathlib.Path, blocks: Iterable[np.ndarray], count: int, dimension: int, dtype: str
) -> None:
    """Writes a `.npy` file of `[count, dimension]`, block by block."""
    kind = np.dtype(dtype)
    header = {
        "descr": np.lib.format.dtype_to_descr(kind),
        "fortran_order": False,
        "shape": (count, dimension),
    }
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, kind).data)
