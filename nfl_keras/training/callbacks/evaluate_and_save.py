"""Evaluates and saves at the end of epochs."""

import os

import keras

from nfl_keras.training.averaged_weights import averaged_weights


class EvaluateAndSave(keras.callbacks.Callback):
    """Adds `recall@1` and `map` to an epoch's logs, and keeps the last and the best model.

    The best model takes its place by `settle`, once it is written down which epoch's it is.

    Args:
        search: `RetrievalTask` that epochs are measured on, with one crop.
        folder: `RunFolder`.
        every: int, epochs between evaluations; the last epoch is always evaluated. 0 for none.
        epochs: int.
    """

    def __init__(self, search, folder, every, epochs):
        super().__init__()
        self.search = search
        self.folder = folder
        self.every = every
        self.epochs = epochs
        self.best_epoch = None
        self.best_map = -1.0
        self.history = {"epoch": []}

    def on_epoch_end(self, epoch, logs=None):
        number = epoch + 1
        due = self.every and (number % self.every == 0 or number == self.epochs)
        with averaged_weights(self.model):
            if due:
                vectors = self.search.embed(self.model.embedder, crops=1)
                report = self.search.evaluate(*vectors)
                logs["recall@1"], logs["map"] = report.recall_at[1], report.map
                if report.map > self.best_map:
                    self.best_epoch, self.best_map = number, report.map
                    self.folder.save_checkpoint(self.model, f"best-{number}")
            self.folder.save_checkpoint(self.model, "last")
        self.history["epoch"].append(number)
        measured = {"recall@1": None, "map": None} if self.every else {}
        for name, value in {**measured, **logs}.items():
            value = None if value is None else float(value)
            self.history.setdefault(name, []).append(value)
        self.folder.write_json("history.json", self.history)

    def settle(self):
        """Makes the model of the best epoch `best.keras`, and drops those of epochs unfinished."""
        best = self.folder.checkpoint("best")
        new = self.folder.checkpoint(f"best-{self.best_epoch}")
        if new.exists():
            os.replace(new, best)
        for unfinished in best.parent.glob("best-*.keras"):
            unfinished.unlink()
