"""Defines the callback that evaluates and saves the model at the end of epochs."""

import os
from typing import Any

import keras

from nfl_keras.retrieval import RetrievalTask
from nfl_keras.training.averaged_weights import averaged_weights
from nfl_keras.training.run_folder import RunFolder


class EvaluateAndSave(keras.callbacks.Callback):
    """A callback that adds `recall@1` and `map` to the logs, and saves the last and best models.

    It saves a new best model as `best-EPOCH.keras`. `keep_best` renames the file to `best.keras`
    when a checkpoint has stored which epoch is the best.

    Args:
        task: `RetrievalTask` that epochs are measured on, with one crop.
        folder: `RunFolder`.
        every: int, epochs between evaluations. The last epoch is always evaluated, unless `0`
            turns evaluation off.
        epochs: int, number of epochs of the run.

    Attributes:
        history: dict from `"epoch"`, terms and metrics to lists with one value per epoch.
        best_epoch: int, from 1, or `None` before an epoch is measured.
        best_map: float, mAP of that epoch.
    """

    def __init__(self, task: RetrievalTask, folder: RunFolder, every: int, epochs: int) -> None:
        super().__init__()
        self.task = task
        self.folder = folder
        self.every = every
        self.epochs = epochs
        self.history: dict[str, list] = {"epoch": []}
        self.best_epoch: int | None = None
        self.best_map = -1.0

    def state(self) -> dict[str, Any]:
        """Returns the state that a checkpoint holds, see `Checkpoints`."""
        return {"history": self.history, "best_epoch": self.best_epoch, "best_map": self.best_map}

    def restore(self, state: dict[str, Any]) -> None:
        """Sets the state to what `state` has returned."""
        self.history = state["history"]
        self.best_epoch, self.best_map = state["best_epoch"], state["best_map"]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        number = epoch + 1
        logs = {} if logs is None else logs
        due = self.every and (number % self.every == 0 or number == self.epochs)
        with averaged_weights(self.model):
            is_best = due and self._measure(number, logs)
            self.folder.save_checkpoint(self.model, "last")
        if is_best:
            self.folder.copy_checkpoint("last", f"best-{number}")
        self.history["epoch"].append(number)
        measured = {"recall@1": None, "map": None} if self.every else {}
        for name, value in {**measured, **logs}.items():
            value = None if value is None else float(value)
            self.history.setdefault(name, []).append(value)
        self.folder.write_json("history.json", self.history)

    def _measure(self, number: int, logs: dict[str, Any]) -> bool:
        """Adds the figures of an epoch to its logs, and tells whether it is the best so far."""
        vectors = self.task.embed(self.model.embedder, crops=1)
        report = self.task.evaluate(*vectors)
        logs["recall@1"], logs["map"] = report.recall_at[1], report.map
        is_best = report.map > self.best_map
        if is_best:
            self.best_epoch, self.best_map = number, report.map
        return is_best

    def keep_best(self) -> None:
        """Renames the best epoch's model to `best.keras`, and removes the other epochs' models."""
        best = self.folder.checkpoint("best")
        new = self.folder.checkpoint(f"best-{self.best_epoch}")
        if new.exists():
            os.replace(new, best)
        for other in best.parent.glob("best-*.keras"):
            other.unlink()
