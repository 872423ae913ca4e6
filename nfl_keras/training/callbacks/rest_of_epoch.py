"""Defines the callback with which `fit` resumes within an epoch."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


class RestOfEpoch(keras.callbacks.Callback):
    """A callback that makes the first epoch of `fit` the rest of an epoch that was begun.

    The epoch starts with the metrics of the batches that are done, and ends after the others.

    Args:
        batches: int, number of batches that are left of the epoch.
        metrics: sequence of arrays, the values of the model's metrics variables. Empty for an
            epoch that starts with its first batch.
    """

    def __init__(self, batches: int, metrics: Sequence[np.ndarray]) -> None:
        super().__init__()
        self.batches = batches
        self.metrics = metrics

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.metrics:  # `fit` has just reset the metrics.
            for variable, value in zip(self.model.metrics_variables, self.metrics, strict=True):
                variable.assign(value)
        self.metrics = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.batches -= 1
        if self.batches == 0:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.batches == 0:
            self.model.stop_training = False
