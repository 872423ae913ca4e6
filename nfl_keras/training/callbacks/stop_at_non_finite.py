"""Defines the callback that stops a run whose loss is not finite."""

import math
from typing import Any

import keras
import numpy as np

from nfl_keras.data import BalancedSampler
from nfl_keras.errors import UserError

NAMED = 8


class StopAtNonFinite(keras.callbacks.Callback):
    """A callback that ends `fit` with a `UserError` when a term becomes NaN or infinite.

    Put it first among the callbacks: then no other callback saves the weights of that step. A
    gradient that overflows while the terms are finite shows in the terms one step later.

    Args:
        sampler: `BalancedSampler` of the batches.
        ids: array of str `[N]`, the ids of the photographs that the sampler draws from.
        first_batch: int, the batch at which the first epoch begins. Defaults to `0`; more in a
            run that resumes within an epoch.

    Raises:
        UserError: with the step, the terms and the photographs.
    """

    def __init__(self, sampler: BalancedSampler, ids: np.ndarray, first_batch: int = 0) -> None:
        super().__init__()
        self.sampler = sampler
        self.ids = ids
        self.first_batch = first_batch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.first_batch = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # The logs are running means: after one value that is not finite they stay so.
        if logs is None or math.isfinite(logs["loss"]):
            return
        names = [term.name for term in self.model.terms if not math.isfinite(logs[term.name])]
        self._stop({name: logs[name] for name in names or ["loss"]}, self.first_batch + batch)

    def _stop(self, values: dict[str, float], batch: int) -> None:
        step = self.epoch * self.sampler.batches_per_epoch + batch + 1
        ids = [str(self.ids[position]) for position in self.sampler.epoch(self.epoch)[batch]]
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        raise UserError(
            f"{', '.join(f'{name} is {value}' for name, value in values.items())} at step {step} "
            f"(epoch {self.epoch + 1}, batch {batch + 1}), on the photographs "
            f"{', '.join(ids[:NAMED])}{more}; look at these, lower learning_rate, set clip_norm, "
            f"or train with precision float32. The checkpoints are from before this step."
        )
