"""Defines `Batcher`, which merges requests that wait at the same time into one run of a model."""

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeAlias

import numpy as np

from nfl_keras.serving.server.settings import Batching

Arrays: TypeAlias = dict[str, np.ndarray]
Run: TypeAlias = Callable[[Arrays], Arrays]


@dataclasses.dataclass(eq=False)
class Job:
    """One request's share of a run, which leaves it out if its future has been cancelled."""

    run: Run
    arrays: Arrays
    rows: int
    arrived: float = dataclasses.field(default_factory=time.monotonic)
    future: Future[Arrays] = dataclasses.field(default_factory=Future)


class Batcher:
    """Queues of jobs that can be merged, and threads that run them; None merges no jobs.

    `observe` is called with the number of rows of each run.
    """

    def __init__(
        self, batching: Batching | None, observe: Callable[[int], None] | None = None
    ) -> None:
        self._merges = batching is not None
        self._batching = batching or Batching(batch_timeout_micros=0)
        self._observe = observe or (lambda rows: None)
        self._queues: dict[Any, collections.deque[Job]] = collections.defaultdict(collections.deque)
        self._changed = threading.Condition()
        self._stopping = False
        self._last: tuple[int | None, int] = (None, 0)
        self._free_since = 0.0
        names = [f"nfl-batch-{i}" for i in range(self._batching.num_batch_threads)]
        self._threads = [threading.Thread(target=self._work, name=n, daemon=True) for n in names]

    def start(self) -> None:
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Runs what is queued, then ends the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def submit(self, key: Hashable | None, run: Run, arrays: Arrays, rows: int) -> Future[Arrays]:
        """Queues a job that runs a function on arrays, each with so many rows; returns its future.

        Jobs of the same key, and of arrays of the same shapes but for the rows, may be merged. A
        job of the key None runs alone and is never split.
        """
        job = Job(run, arrays, rows)
        place: tuple[Any, ...] = (job,)
        if key is not None and self._merges:
            place = (key, *((name, array.shape[1:]) for name, array in arrays.items()))
        with self._changed:
            self._queues[place].append(job)
            self._changed.notify()
        return job.future

    def _work(self) -> None:
        while True:
            with self._changed:
                jobs = self._next_batch()
            if not jobs:
                return
            jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if jobs:
                self._run(jobs)
            # Kept while the thread waits, they would keep a replaced model in memory.
            del jobs

    def _next_batch(self) -> list[Job]:
        """Waits for a batch that is due; an empty one means that the thread must end."""
        self._free_since = time.monotonic()
        while True:
            if self._queues:
                place = min(self._queues, key=self._due)
                left = self._due(place) - time.monotonic()
                if left <= 0 or self._stopping:
                    return self._take(place)
                self._changed.wait(left)
            elif self._stopping:
                return []
            else:
                self._changed.wait()

    def _due(self, place: tuple[Any, ...]) -> float:
        queue = self._queues[place]
        last_place, last_rows = self._last
        enough = min(last_rows, self._batching.max_batch_size) if hash(place) == last_place else 1
        if isinstance(place[0], Job) or sum(job.rows for job in queue) >= enough:
            return queue[0].arrived
        since = max(queue[0].arrived, self._free_since)
        return since + self._batching.batch_timeout_micros / 1e6

    def _take(self, place: tuple[Any, ...]) -> list[Job]:
        queue = self._queues[place]
        jobs = [queue.popleft()]
        rows = jobs[0].rows
        while queue and rows + queue[0].rows <= self._batching.max_batch_size:
            rows += queue[0].rows
            jobs.append(queue.popleft())
        if not queue:
            del self._queues[place]
        # The hash alone is kept, since the place would keep a replaced model in memory.
        self._last = hash(place), rows
        return jobs

    def _run(self, jobs: list[Job]) -> None:
        sizes = [job.rows for job in jobs]
        try:
            arrays = _concatenate([job.arrays for job in jobs])
            outputs = self._run_in_slices(jobs[0].run, arrays, sum(sizes))
            parts = [outputs] if len(jobs) == 1 else _split(outputs, sizes)
        except Exception as error:
            if len(jobs) == 1:
                # The traceback holds this frame, which holds the future and so the exception.
                jobs[0].future.set_exception(error.with_traceback(None))
                return
            # A request that fails must not fail the requests merged with it.
            for job in jobs:
                self._run([job])
        else:
            for job, part in zip(jobs, parts, strict=True):
                job.future.set_result(part)

    def _run_in_slices(self, run: Run, arrays: Arrays, rows: int) -> Arrays:
        most = self._batching.max_batch_size
        if not self._merges or rows <= most:
            self._observe(rows)
            return run(arrays)
        parts = []
        for start in range(0, rows, most):
            part = {name: array[start : start + most] for name, array in arrays.items()}
            self._observe(min(most, rows - start))
            parts.append(run(part))
        return _concatenate(parts)


def _concatenate(parts: list[Arrays]) -> Arrays:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _split(arrays: Arrays, sizes: list[int]) -> list[Arrays]:
    ends = np.cumsum(sizes)
    if any(len(array) != ends[-1] for array in arrays.values()):
        raise ValueError(f"the outputs do not have the {ends[-1]} rows of the inputs")
    pieces = {name: np.split(array, ends[:-1]) for name, array in arrays.items()}
    return [{name: piece[i] for name, piece in pieces.items()} for i in range(len(sizes))]
