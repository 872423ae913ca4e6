"""Defines a file of rows that are computed once, also by a run that is stopped and resumes."""

import contextlib
import hashlib
import json
import os
import pathlib
import time
from collections.abc import Callable, Iterator

import numpy as np

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.progress import Progress

# Seconds between two flushes of the rows to the disk.
_EVERY = 10.0


class RowFile:
    """A memory-mapped array on the disk, whose rows are computed one after the other.

    Its name is a hash of what the rows are computed from, so that one folder serves many runs. A
    second file beside it notes how many rows are whole. A stopped computation therefore resumes
    with the next row. Of several processes one computes at a time, and the others wait for it.

    Args:
        folder: `pathlib.Path`. It is made when the file is.
        kind: str, what the rows are, with which the file's name begins.
        key: str that changes with anything that the rows are computed from.
        dtype: `np.dtype`, without objects.
        shape: tuple of ints, the first of which is the number of rows.

    Attributes:
        path: `pathlib.Path` of the array, which ends in `.npy`.
    """

    def __init__(
        self, folder: pathlib.Path, kind: str, key: str, dtype: np.dtype, shape: tuple[int, ...]
    ) -> None:
        self.dtype, self.shape = dtype, shape
        name = hashlib.sha256(f"{key} {dtype.descr} {shape}".encode()).hexdigest()
        self.path = folder / f"{kind}-{name[:32]}.npy"
        self._state = self.path.with_suffix(".json")

    @property
    def bytes(self) -> int:
        """int, the size of the rows."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def bytes_missing(self) -> int:
        """int, the room that the disk must still have for the rows."""
        there = self.path.stat().st_size if self.path.exists() else 0
        return max(self.bytes - there, 0)

    @property
    def seconds(self) -> float:
        """float, how long the rows have been computed for."""
        return self._begun()[1]

    def fill(self, rows_from: Callable[[int], Iterator[np.ndarray]], what: str) -> np.ndarray:
        """Computes the rows that are missing, and shows how long it will take.

        Args:
            rows_from: function from the number of the first row that is missing to an iterator of
                arrays `[<= B, ...]`, all rows from that one on.
            what: str, what is counted, see `Progress`.

        Returns:
            The array, memory-mapped and read-only.

        Raises:
            UserError: if the disk lacks room for the rows.
        """
        with self._locked():
            self._fill(rows_from, what)
            return np.lib.format.open_memmap(self.path, mode="r")

    def remove(self) -> None:
        """Removes the rows. A process that has mapped them keeps them."""
        with self._locked():
            self._remove()

    def _remove(self) -> None:
        # The note goes first: rows that are made anew are none of those that it counts.
        self._state.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _fill(self, rows_from: Callable[[int], Iterator[np.ndarray]], what: str) -> None:
        done, seconds = self._begun()
        count = self.shape[0]
        if done < count:
            array = self._opened(anew=not done)
            start = flushed = time.perf_counter()
            try:
                with Progress(count, what, done=done) as progress:
                    for rows in progress.counted(rows_from(done)):
                        array[done : done + len(rows)] = rows
                        done += len(rows)
                        now = time.perf_counter()
                        if now - flushed > _EVERY:
                            flushed = now
                            self._note(array, done, seconds + now - start)
            finally:
                self._note(array, done, seconds + time.perf_counter() - start)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Waits for another process that computes the rows. Windows has no such lock."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "wb") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    print(f"waiting for another run, which computes {self.path}", flush=True)
                    fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _begun(self) -> tuple[int, float]:
        """Returns the number of rows that are whole, and the seconds that they took."""
        try:
            state = json.loads(self._state.read_text())
            size = self.path.stat().st_size
            if size >= self.bytes:
                return int(state["done"]), float(state["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return 0, 0.0

    def _opened(self, anew: bool) -> np.memmap:
        if not anew:
            return np.lib.format.open_memmap(self.path, mode="r+")
        try:
            self._remove()
            array = np.lib.format.open_memmap(self.path, "w+", self.dtype, self.shape)
            # A page that the disk has no room for would end the process without a word.
            if hasattr(os, "posix_fallocate"):
                with open(self.path, "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, self.path.stat().st_size)
        except OSError as error:
            self.path.unlink(missing_ok=True)
            raise UserError(
                f"there is no room for {self.bytes / 1e6:,.0f} MB in {str(self.path.parent)!r} "
                f"({error.strerror}); make room, lower cache_views, or name another --cache-dir."
            ) from error
        return array

    def _note(self, array: np.memmap, done: int, seconds: float) -> None:
        array.flush()
        write_whole(self._state, json.dumps({"done": done, "seconds": seconds}))
