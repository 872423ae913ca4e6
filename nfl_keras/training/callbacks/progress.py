"""What a run prints while it trains."""

import sys
import time

import keras


class Progress(keras.callbacks.Callback):
    """One line per epoch with the terms, the metrics, images/s and the time left.

    On a terminal the line of the current epoch is rewritten as it goes. Speed and time left
    leave out the time that evaluation and saving take between epochs. A run that goes on sets
    `batches_done`, `batches_timed`, `seconds` and `seconds_waited` to what they were.

    Args:
        epochs: int.
        batches_per_epoch: int, of a whole epoch, also in a run that goes on within one.
        batch_size: int, images that enter a step (their noisy views not counted).
        clock: `DataClock` that watches the batches, for the share of an epoch's time that its
            steps waited for them. Defaults to `None`, which leaves it out.
    """

    def __init__(self, epochs, batches_per_epoch, batch_size, clock=None):
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

    @property
    def images_per_second(self):
        """Training images per second so far, the first batch of a process (tracing) left out."""
        return self.batches_timed * self.batch_size / max(self.seconds, 1e-9)

    @property
    def waiting_share(self):
        """The share of that time in which steps waited for data."""
        return self.seconds_waited / max(self.seconds, 1e-9)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.before_epoch = self.seconds, self.seconds_waited
        self.since = time.perf_counter()

    def on_train_batch_begin(self, batch, logs=None):
        # Before the first step of an epoch, Keras sets up the pipeline: that is waiting, too.
        self.step_began = time.perf_counter() if batch else self.since

    def on_train_batch_end(self, batch, logs=None):
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

    def on_epoch_end(self, epoch, logs=None):
        start, end = ("\r", "\x1b[K") if sys.stdout.isatty() else ("", "")
        print(f"{start}{self._line(logs)}{end}", flush=True)

    def _line(self, logs, batch=""):
        left = self.epochs * self.batches_per_epoch - self.batches_done
        seconds_left = left * self.batch_size / max(self.images_per_second, 1e-9)
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        speed = f"{self.images_per_second:.0f} images/s, {_clock(seconds_left)} left"
        waiting = self._waiting() if self.clock else ""
        parts = [f"epoch {self.epoch + 1}/{self.epochs}", batch, numbers, speed, waiting]
        return " | ".join(part for part in parts if part)

    def _waiting(self):
        seconds, waited = self.before_epoch
        share = (self.seconds_waited - waited) / max(self.seconds - seconds, 1e-9)
        return f"{100 * share:.1f}% waiting for data"


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
