"""A run's TensorBoard logs."""

import keras


class EpochLogs(keras.callbacks.TensorBoard):
    """Logs of each epoch that lie on the disk when it ends, whatever becomes of the process.

    TensorBoard's writer keeps up to two minutes of logs in memory. Of an epoch that a run does
    again, since it was stopped before the checkpoint of its end, TensorBoard shows the latter.

    Args:
        folder: `pathlib.Path`.
    """

    def __init__(self, folder):
        super().__init__(folder, write_graph=False)

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self._train_writer.flush()
