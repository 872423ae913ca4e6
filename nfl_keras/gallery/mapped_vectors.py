"""Defines a matrix of vectors on the disk, of which only what is read takes memory."""

import mmap
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from nfl_keras.errors import UserError

_MOST_BYTES = 2**26


class MappedVectors:
    """A memory-mapped `.npy` file of vectors `[N, D]`.

    Reading a slice, or many rows, gives the memory of earlier ones back to the system, so that a
    pass over the file takes no more memory than one of its blocks.

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
                self._row_bytes = self.shape[1] * self.dtype.itemsize
                self._mapped_bytes = 0
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
        found = self._all[rows]
        # The system maps a page for each row, or the row itself if that is larger.
        self._mapped_bytes += len(found) * max(mmap.PAGESIZE, self._row_bytes)
        if isinstance(rows, slice) or self._mapped_bytes > _MOST_BYTES:
            self._mapped_bytes = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                self._mapped.madvise(mmap.MADV_DONTNEED)
        return found


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
