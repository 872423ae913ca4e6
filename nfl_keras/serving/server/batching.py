"""Merges requests that wait at the same time into one run of the model."""

import collections
import concurrent.futures
import dataclasses
import threading
import time

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.serving.server.request_error import from_tensorflow


@dataclasses.dataclass(frozen=True)
class Batching:
    """How requests are merged, by the names of TF Serving's batching parameters.

    Those who ask one image after the other come back together: a run waits until as many rows are
    there as the last one had. So a client that is alone never waits, and many share their runs.

    Args:
        max_batch_size: int. Most rows of one run; a request with more is run in several.
            Defaults to 32.
        batch_timeout_micros: int. How long a free thread waits for so many, in microseconds.
            Defaults to 10,000.
        num_batch_threads: int. Runs at the same time. Defaults to 2.

    Example:

    >>> nfl.serving.Server("models", batching=Batching(max_batch_size=64))
    """

    max_batch_size: int = 32
    batch_timeout_micros: int = 10_000
    num_batch_threads: int = 2

    def __post_init__(self):
        for name, value in dataclasses.asdict(self).items():
            if value < (0 if name == "batch_timeout_micros" else 1):
                raise UserError(f"{name} must not be {value}.")


class Job:
    """One request's share of a batch.

    Attributes:
        future: `concurrent.futures.Future` of the dict of output arrays. Cancelled before its
            batch is run, it is left out of it.
    """

    def __init__(self, run, arrays, rows):
        self.run = run
        self.arrays = arrays
        self.rows = rows
        self.arrived = time.monotonic()
        self.future = concurrent.futures.Future()


class Batcher:
    """Queues of jobs, one for each thing that can be run as one, and threads that run them.

    Args:
        batching: `Batching`, or None to run each request alone.
        observe: Optional function from the number of rows of each run.
    """

    def __init__(self, batching, observe=None):
        self._merges = batching is not None
        self._batching = batching or Batching(batch_timeout_micros=0)
        self._observe = observe or (lambda rows: None)
        self._queues = collections.defaultdict(collections.deque)
        self._changed = threading.Condition()
        self._stopping = False
        self._last = None, 0
        self._free_since = 0.0
        self._threads = [
            threading.Thread(target=self._work, name=f"nfl-batch-{i}", daemon=True)
            for i in range(self._batching.num_batch_threads)
        ]

    def start(self):
        """Starts the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Runs what is queued, then ends the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def submit(self, key, run, arrays, rows):
        """Queues a job.

        Args:
            key: Hashable. Jobs of the same key, and of inputs of the same sizes beside the rows,
                may be merged. None: alone, and never split.
            run: Function from a dict of input arrays to a dict of output arrays.
            arrays: Dict of input arrays, with a row per example.
            rows: int.

        Returns:
            The `Job`.
        """
        job = Job(run, arrays, rows)
        if key is None or not self._merges:
            place = (job,)
        else:
            place = (key, *((name, array.shape[1:]) for name, array in arrays.items()))
        with self._changed:
            self._queues[place].append(job)
            self._changed.notify()
        return job

    def _work(self):
        while True:
            with self._changed:
                jobs = self._next_batch()
            if jobs is None:
                return
            jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            if jobs:
                self._run(jobs)
            # Held while it waits for the next batch, they would keep a replaced model in memory.
            jobs = None

    def _next_batch(self):
        self._free_since = time.monotonic()
        while True:
            if self._queues:
                place = min(self._queues, key=self._due)
                left = self._due(place) - time.monotonic()
                if left <= 0 or self._stopping:
                    return self._taken(place)
                self._changed.wait(left)
            elif self._stopping:
                return None
            else:
                self._changed.wait()

    def _due(self, place):
        queue = self._queues[place]
        last_place, last_rows = self._last
        enough = min(last_rows, self._batching.max_batch_size) if hash(place) == last_place else 1
        if isinstance(place[0], Job) or sum(job.rows for job in queue) >= enough:
            return queue[0].arrived
        since = max(queue[0].arrived, self._free_since)
        return since + self._batching.batch_timeout_micros / 1e6

    def _taken(self, place):
        queue = self._queues[place]
        jobs = [queue.popleft()]
        rows = jobs[0].rows
        while queue and rows + queue[0].rows <= self._batching.max_batch_size:
            rows += queue[0].rows
            jobs.append(queue.popleft())
        if not queue:
            del self._queues[place]
        # By its hash, since a place would keep a replaced model in memory.
        self._last = hash(place), rows
        return jobs

    def _run(self, jobs):
        try:
            self._run_merged(jobs)
        except Exception as error:
            if len(jobs) == 1:
                jobs[0].future.set_exception(from_tensorflow(error))
                return
            # One request's fault must not be the others' as well.
            for job in jobs:
                self._run([job])

    def _run_merged(self, jobs):
        if len(jobs) == 1:
            outputs = self._in_slices(jobs[0])
            jobs[0].future.set_result(outputs)
            return
        merged = {
            name: np.concatenate([job.arrays[name] for job in jobs]) for name in jobs[0].arrays
        }
        rows = sum(job.rows for job in jobs)
        self._observe(rows)
        outputs = jobs[0].run(merged)
        if any(len(output) != rows for output in outputs.values()):
            raise ValueError(f"the outputs do not have the {rows} rows of the inputs")
        start = 0
        for job in jobs:
            end = start + job.rows
            job.future.set_result({name: output[start:end] for name, output in outputs.items()})
            start = end

    def _in_slices(self, job):
        most = self._batching.max_batch_size
        if not self._merges or job.rows <= most:
            self._observe(job.rows)
            return job.run(job.arrays)
        parts = []
        for start in range(0, job.rows, most):
            part = {name: array[start : start + most] for name, array in job.arrays.items()}
            self._observe(min(most, job.rows - start))
            parts.append(job.run(part))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
