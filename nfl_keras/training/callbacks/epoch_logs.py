"""Defines the callback that writes a run's TensorBoard logs."""

from typing import Any

import keras

from nfl_keras.typing import Path


class EpochLogs(keras.callbacks.TensorBoard):
    """A callback that writes TensorBoard logs and flushes them at the end of each epoch.

    Keras' own callback keeps up to two minutes of logs in memory, which a killed process loses.
    A run that resumes may train an epoch again; TensorBoard then shows the later values.

    Args:
        folder: str or path.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, write_graph=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._train_writer.flush()
