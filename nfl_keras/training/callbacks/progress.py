"""Defines the callback that prints a run's progress."""

import sys
import time
from typing import Any

import keras

from nfl_keras.progress import clock_time
from nfl_keras.training.data_clock import DataClock

_STATE = ("batches_done", "batches_timed", "seconds", "seconds_waited", "pace")


class Progress(keras.callbacks.Callback):
    """A callback that prints a line per epoch: terms, metrics, images/s and the time left.

    On a terminal it rewrites the line of the current epoch after each batch. Speed and time left
    do not count the time that evaluation and saving take between epochs. Before the second batch
    neither is known, and neither is printed.

    Args:
        epochs: int.
        batches_per_epoch: int, number of batches of a whole epoch.
        batch_size: int, images per step, without their noisy views.
        clock: `DataClock` that watches the batches. It gives the share of an epoch's time in
            which the steps waited for data. Defaults to `None`, which prints no share.

    Attributes:
        pace: dict of lists with one value per epoch: `"images"` seen until its end, and `"seconds"`
            of training, without a first step, which is traced, and without evaluations.
    """

    def __init__(
        self, epochs: int, batches_per_epoch: int, batch_size: int, clock: DataClock | None = None
    ) -> None:
        super().__init__()
        self.epochs = epochs
        self.batches_per_epoch = batches_per_epoch
        self.batch_size = batch_size
        self.clock = clock
        self.traced = False
        self.batches_done = 0
        self.batches_timed = 0
        self.seconds = 0.0
        self.seconds_waited = 0.0
        self.pace: dict[str, list] = {"images": [], "seconds": []}

    def state(self) -> dict[str, Any]:
        """Returns the state that a checkpoint holds, see `Checkpoints`."""
        return {name: getattr(self, name) for name in _STATE}

    def restore(self, state: dict[str, Any]) -> None:
        """Sets the state to what `state` has returned."""
        for name in _STATE:
            setattr(self, name, state[name])

    @property
    def images_per_second(self) -> float:
        """Training images per second so far, without the first batch, which Keras traces."""
        return self.batches_timed * self.batch_size / max(self.seconds, 1e-9)

    @property
    def waiting_share(self) -> float:
        """Share of that time in which the steps waited for data, in 0..1."""
        return self.seconds_waited / max(self.seconds, 1e-9)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch
        self.before_epoch = self.seconds, self.seconds_waited
        self.since = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Keras starts the pipeline before the first step of an epoch; the step waits for it.
        self.step_began = time.perf_counter() if batch else self.since

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.perf_counter()
        waited = self.clock.waited(self.step_began) if self.clock else 0.0
        if self.traced:
            self.batches_timed += 1
            self.seconds += now - self.since
            self.seconds_waited += waited
        self.traced = True
        self.since = now
        self.batches_done += 1
        if sys.stdout.isatty():
            number = (self.batches_done - 1) % self.batches_per_epoch + 1
            line = self._line(logs, f"batch {number}/{self.batches_per_epoch}")
            print(f"\r{line}\x1b[K", end="", flush=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.pace["images"].append(self.batches_done * self.batch_size)
        self.pace["seconds"].append(self.seconds)
        start, end = ("\r", "\x1b[K") if sys.stdout.isatty() else ("", "")
        print(f"{start}{self._line(logs)}{end}", flush=True)

    def _line(self, logs: dict[str, Any] | None, batch: str = "") -> str:
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        parts = [f"epoch {self.epoch + 1}/{self.epochs}", batch, numbers]
        if self.batches_timed:
            parts += [self._speed(), self._waiting() if self.clock else ""]
        return " | ".join(part for part in parts if part)

    def _speed(self) -> str:
        left = self.epochs * self.batches_per_epoch - self.batches_done
        seconds_left = left * self.batch_size / self.images_per_second
        return f"{self.images_per_second:.0f} images/s, {clock_time(seconds_left)} left"

    def _waiting(self) -> str:
        seconds, waited = self.before_epoch
        share = (self.seconds_waited - waited) / max(self.seconds - seconds, 1e-9)
        return f"{100 * share:.1f}% waiting for data"
