"""Defines the callback that writes a run's checkpoints and resumes from them."""

import hashlib
import pathlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras
import numpy as np

from nfl_keras.data import BalancedSampler, ImageSet
from nfl_keras.errors import UserError
from nfl_keras.training.checkpoint_files import read_checkpoint, write_checkpoint
from nfl_keras.training.termination import Termination


class Stateful(Protocol):
    """A callback whose state a checkpoint holds."""

    def state(self) -> dict[str, Any]:
        """Returns the state as a dict that JSON can hold."""

    def restore(self, state: dict[str, Any]) -> None:
        """Sets the state to what `state` has returned."""


class Checkpoints(keras.callbacks.Callback):
    """A callback that writes checkpoints, and resumes a run from the latest one.

    It writes a checkpoint every `every` steps, at the end of every epoch, and when the run
    receives SIGTERM. A checkpoint holds the variables of the model (weights and seed
    generators), of the optimizer and of the metrics, the position in the sampler's plan, the
    state of other callbacks, and facts about the run.

    Put it last among the callbacks: at the end of an epoch it stores the others' state. Put
    `RestOfEpoch` first.

    Args:
        folder: `pathlib.Path` of the checkpoints.
        every: int, steps between checkpoints within an epoch. `0` writes none there.
        sampler: `BalancedSampler` of the batches.
        train: `ImageSet` that the sampler draws from.
        callbacks: dict from names to the callbacks whose state is part of a checkpoint.
        after_write: function without arguments. It is called when a checkpoint is on the disk.
        termination: `Termination`.

    Attributes:
        epoch: int, epoch of the next step, from 0.
        batch: int, number of steps of this epoch that are done.
        facts: dict that JSON can hold, which the run may set.
        stopped: bool, whether training stopped early.
        metrics: list of arrays, the values of the metrics' variables at a restored checkpoint
            within an epoch. Empty otherwise.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        every: int,
        sampler: BalancedSampler,
        train: ImageSet,
        callbacks: Mapping[str, Stateful],
        after_write: Callable[[], None],
        termination: Termination,
    ) -> None:
        super().__init__()
        self.folder = folder
        self.every = every
        self.sampler = sampler
        self.callbacks = callbacks
        self.after_write = after_write
        self.termination = termination
        self.epoch = self.batch = 0
        self.facts: dict[str, Any] = {}
        self.stopped = False
        self.metrics: list[np.ndarray] = []
        self._photographs = _fingerprint(train)
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds that the run has taken, without the time between a stop and its resuming."""
        return time.perf_counter() - self._start

    @property
    def step(self) -> int:
        """Number of training steps that are done."""
        return self.epoch * self.sampler.batches_per_epoch + self.batch

    def restore(self, model: keras.Model) -> bool:
        """Restores the model, the callbacks and the position from the latest checkpoint.

        Args:
            model: compiled `keras.Model` whose optimizer is built.

        Returns:
            bool, whether there is a checkpoint.

        Raises:
            UserError: if the checkpoint does not fit the model or the photographs, or there are
                checkpoints and none is whole.
        """
        found = read_checkpoint(self.folder)
        if found is None:
            return False
        state, arrays = found
        variables = _variables(model)
        self._check_fit(state, arrays, variables)
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.epoch, self.batch = state["epoch"], state["batch"]
        if self.batch:
            self.metrics = arrays[len(arrays) - len(model.metrics_variables) :]
        self.stopped, self.facts = state["stopped"], state["facts"]
        self._start -= state["seconds"]
        for name, callback in self.callbacks.items():
            callback.restore(state["callbacks"][name])
        return True

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # The process may have ended between the write and this call.
        self.after_write()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.batch += 1
        if self.batch < self.sampler.batches_per_epoch:
            due = self.every and self.step % self.every == 0
            if due or self.termination.requested:
                self._write()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch, self.batch = epoch + 1, 0
        self.stopped = self.model.stop_training
        self._write()

    def _write(self) -> None:
        state = {
            "epoch": self.epoch,
            "batch": self.batch,
            "facts": self.facts,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "seed": self.sampler.seed,
            "batches_per_epoch": self.sampler.batches_per_epoch,
            "photographs": self._photographs,
            "callbacks": {name: callback.state() for name, callback in self.callbacks.items()},
        }
        arrays = [keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)]
        try:
            write_checkpoint(self.folder, self.step, state, arrays)
        except OSError as error:
            raise UserError(
                f"cannot write a checkpoint to {str(self.folder)!r} ({error.strerror}); make "
                f"room, and resume the run with --resume."
            ) from error
        self.after_write()
        if self.termination.requested:
            self.termination.exit()

    def _check_fit(
        self, state: dict[str, Any], arrays: list[np.ndarray], variables: list[keras.Variable]
    ) -> None:
        if self._photographs != state["photographs"]:
            raise UserError(
                f"the photographs to train on are not those that the run in "
                f"{str(self.folder.parent)!r} began with; put the photographs back as they were, "
                f"or begin another run."
            )
        plan = [self.sampler.seed, self.sampler.batches_per_epoch]
        shapes = [tuple(variable.shape) for variable in variables]
        if plan != [state["seed"], state["batches_per_epoch"]] or shapes != [
            array.shape for array in arrays
        ]:
            raise UserError(
                f"the checkpoint in {str(self.folder)!r} does not fit the model and the batches "
                f"of the run's config.yaml; put config.yaml back as it was, or begin another run."
            )


def _fingerprint(image_set: ImageSet) -> str:
    digest = hashlib.sha256("\n".join(image_set.ids).encode("utf-8", errors="surrogateescape"))
    digest.update(image_set.labels.tobytes())
    return digest.hexdigest()


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]
