"""Keeps all that a run needs to go on where it was stopped, and goes on there."""

import hashlib
import time

import keras
import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.training.checkpoint_files import read_checkpoint, write_checkpoint


class Checkpoints(keras.callbacks.Callback):
    """Writes checkpoints, and takes a run up at the latest.

    A checkpoint is written every so many steps and after every epoch, and when the run is told
    to end. It holds the variables of the model (weights and seed generators), the optimizer
    (with its step, and averaged weights if there are any) and the metrics, the sampler's three
    integers, what other callbacks remember, and facts about the run.

    It is the last of the callbacks, so that the others are done with an epoch that it calls
    done; `rest_of_epoch` is the first.

    Args:
        folder: `pathlib.Path` of the checkpoints.
        every: int, steps between checkpoints within an epoch; 0 for none.
        batches_per_epoch: int.
        seed: int, of the sampler.
        train_set: `ImageSet` that is trained on.
        remembered: dict from a name to a callback and the names of those of its attributes,
            each as JSON can hold it, that are kept.
        settle: function without arguments, called when what is remembered lies on the disk.
        termination: `Termination`.
    """

    def __init__(
        self, folder, every, batches_per_epoch, seed, train_set, remembered, settle, termination
    ):
        super().__init__()
        self.folder = folder
        self.every = every
        self.batches_per_epoch = batches_per_epoch
        self.seed = seed
        self.photographs = _fingerprint(train_set)
        self.remembered = remembered
        self.settle = settle
        self.termination = termination
        self.epoch = self.batch = 0
        self.stopped = False
        self.facts = {}
        self._start = time.perf_counter()
        self._memories = {}
        self._metrics = []

    @property
    def seconds(self):
        """Seconds that the run has taken, whatever lay between its parts not counted."""
        return time.perf_counter() - self._start

    def take_up(self, model):
        """Sets everything to where the latest checkpoint has it.

        Args:
            model: a compiled `keras.Model`, its optimizer built.

        Returns:
            The facts, a dict; empty if there is no checkpoint.

        Raises:
            UserError: if it is of another model or other batches, or no checkpoint is whole.
        """
        found = read_checkpoint(self.folder)
        if found is None:
            return self.facts
        state, arrays = found
        if self.photographs != state["photographs"]:
            raise UserError(
                f"the photographs to train on are not those that the run in "
                f"{str(self.folder.parent)!r} began with; put these back as they were, or begin "
                f"another run."
            )
        variables = _variables(model)
        shapes = [tuple(variable.shape) for variable in variables]
        here = [self.seed, self.batches_per_epoch, shapes]
        there = [state["sampler"]["seed"], state["batches_per_epoch"], [a.shape for a in arrays]]
        if here != there:
            raise UserError(
                f"the checkpoint in {str(self.folder)!r} does not fit the model and the batches "
                f"of the run's config.yaml; put that back as it was, or begin another run."
            )
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.epoch, self.batch = state["sampler"]["epoch"], state["sampler"]["batch"]
        if self.batch:
            self._metrics = arrays[len(arrays) - len(model.metrics_variables) :]
        self.stopped = state["stopped"]
        self.facts = state["facts"]
        self._start -= state["seconds"]
        self._memories = state["remembered"]
        return self.facts

    def rest_of_epoch(self):
        """The callback that makes `fit`'s first epoch the rest of the one that was begun."""
        return _RestOfEpoch(self.batches_per_epoch - self.batch, self._metrics)

    def on_train_begin(self, logs=None):
        for name, values in self._memories.items():
            for attribute, value in values.items():
                setattr(self.remembered[name][0], attribute, value)
        self.settle()

    def on_train_batch_end(self, batch, logs=None):
        self.batch += 1
        if self.batch < self.batches_per_epoch:
            step = self.epoch * self.batches_per_epoch + self.batch
            if self.termination.asked or (self.every and step % self.every == 0):
                self._write()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch, self.batch = epoch + 1, 0
        self.stopped = self.model.stop_training
        self._write()

    def _write(self):
        state = {
            "sampler": {"seed": self.seed, "epoch": self.epoch, "batch": self.batch},
            "batches_per_epoch": self.batches_per_epoch,
            "photographs": self.photographs,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "facts": self.facts,
            "remembered": {
                name: {attribute: getattr(callback, attribute) for attribute in attributes}
                for name, (callback, attributes) in self.remembered.items()
            },
        }
        arrays = [keras.ops.convert_to_numpy(variable) for variable in _variables(self.model)]
        step = self.epoch * self.batches_per_epoch + self.batch
        try:
            write_checkpoint(self.folder, step, state, arrays)
        except OSError as error:
            raise UserError(
                f"cannot write a checkpoint to {str(self.folder)!r} ({error.strerror}); make "
                f"room, and go on with --resume."
            ) from error
        self.settle()
        if self.termination.asked:
            self.termination.leave()


class _RestOfEpoch(keras.callbacks.Callback):
    """Lets `fit`'s first epoch begin with the metrics of a checkpoint and end after its batches.

    Args:
        batches: int.
        metrics: list of arrays, the values of the model's metric variables.
    """

    def __init__(self, batches, metrics):
        super().__init__()
        self.batches = batches
        self.metrics = metrics

    def on_epoch_begin(self, epoch, logs=None):
        if self.metrics:  # which `fit` has just reset
            for variable, value in zip(self.model.metrics_variables, self.metrics, strict=True):
                variable.assign(value)
        self.metrics = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches -= 1
        if self.batches == 0:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.batches == 0:
            self.model.stop_training = False


def _fingerprint(image_set):
    digest = hashlib.sha256("\n".join(image_set.ids).encode("utf-8", errors="surrogateescape"))
    digest.update(np.ascontiguousarray(image_set.labels))
    return digest.hexdigest()


def _variables(model):
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]
