"""Ends training that does not get better."""

import keras


class StopEarly(keras.callbacks.Callback):
    """Stops after so many epochs in which the watched mAP was not above its best.

    It comes after `EvaluateAndSave` among the callbacks and keeps no count of its own. That of
    `keras.callbacks.EarlyStopping` begins anew with every `fit`, so a run that was stopped and
    goes on would forget it.

    Args:
        saved: `EvaluateAndSave`, which measures the epochs and knows the best one.
        epochs: int >= 1. An epoch that is not measured counts, but does not stop.
    """

    def __init__(self, saved, epochs):
        super().__init__()
        self.saved = saved
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        measured = "map" in logs
        if measured and epoch + 1 - self.saved.best_epoch >= self.epochs:
            self.model.stop_training = True
