"""What a run prints while it trains."""

import sys
import time

import keras


class Progress(keras.callbacks.Callback):
    """One line per epoch with the terms, the metrics, images/s and the time left.

    On a terminal the line of the current epoch is rewritten as it goes. Speed and time left
    leave out the time that evaluation and saving take between epochs.

    Args:
        epochs: int.
        batches_per_epoch: int.
        batch_size: int, images that enter a step (their noisy views not counted).
    """

    def __init__(self, epochs, batches_per_epoch, batch_size):
        super().__init__()
        self.epochs = epochs
        self.batches_per_epoch = batches_per_epoch
        self.batch_size = batch_size
        self.seconds = 0.0
        self.batches_done = 0

    @property
    def images_per_second(self):
        """Training images per second so far, the first batch (tracing) left out."""
        return max(self.batches_done - 1, 0) * self.batch_size / max(self.seconds, 1e-9)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.since = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if self.batches_done:
            self.seconds += now - self.since
        self.since = now
        self.batches_done += 1
        if sys.stdout.isatty():
            line = self._line(logs, f"batch {batch + 1}/{self.batches_per_epoch}")
            print(f"\r{line}\x1b[K", end="", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        start, end = ("\r", "\x1b[K") if sys.stdout.isatty() else ("", "")
        print(f"{start}{self._line(logs)}{end}", flush=True)

    def _line(self, logs, batch=""):
        left = self.epochs * self.batches_per_epoch - self.batches_done
        seconds_left = left * self.batch_size / max(self.images_per_second, 1e-9)
        numbers = "  ".join(f"{name} {value:.3f}" for name, value in (logs or {}).items())
        speed = f"{self.images_per_second:.0f} images/s, {_clock(seconds_left)} left"
        parts = [f"epoch {self.epoch + 1}/{self.epochs}", batch, numbers, speed]
        return " | ".join(part for part in parts if part)


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
