"""Defines the callback that ends training that does not improve."""

from typing import Any

import keras

from nfl_keras.training.callbacks.evaluate_and_save import EvaluateAndSave


class StopEarly(keras.callbacks.Callback):
    """A callback that stops training after several epochs without a better mAP.

    Put it after `EvaluateAndSave` among the callbacks, whose best epoch it reads.
    `keras.callbacks.EarlyStopping` counts from the beginning of `fit`, and would forget the
    count of a run that resumes.

    Args:
        saved: `EvaluateAndSave`, which measures the epochs and knows the best one.
        epochs: int >= 1. An epoch that is not measured counts, but does not stop training.
    """

    def __init__(self, saved: EvaluateAndSave, epochs: int) -> None:
        super().__init__()
        self.saved = saved
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        measured, best_epoch = "map" in (logs or {}), self.saved.best_epoch
        if measured and best_epoch is not None and epoch + 1 - best_epoch >= self.epochs:
            self.model.stop_training = True
