"""Stops a run whose loss is no longer a number."""

import math

import keras

from nfl_keras.data import BalancedSampler
from nfl_keras.errors import UserError

NAMED = 8


class StopAtNonFinite(keras.callbacks.Callback):
    """Ends `fit` with a `UserError` at the step at which a term becomes NaN or infinite.

    Put first among the callbacks, it lets none of the others save what this step made of the
    weights. A gradient that overflows while the terms are finite shows in the terms one step
    later.

    Args:
        batch_ids: function from the numbers of an epoch and of a batch in it, both from 0, to
            the ids of the batch's photographs, such as `batch_ids_of` gives.
        batches_per_epoch: int.
        first_batch: int, the batch at which the first epoch begins, in a run that goes on.
            Defaults to `0`.

    Raises:
        UserError: with the step, the terms and the photographs.
    """

    def __init__(self, batch_ids, batches_per_epoch, first_batch=0):
        super().__init__()
        self.batch_ids = batch_ids
        self.batches_per_epoch = batches_per_epoch
        self.first_batch = first_batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        self.first_batch = 0

    def on_train_batch_end(self, batch, logs=None):
        # Running means: one value that is not finite leaves them so until the epoch ends.
        if math.isfinite(logs["loss"]):
            return
        names = [term.name for term in self.model.terms if not math.isfinite(logs[term.name])]
        self._stop({name: logs[name] for name in names or ["loss"]}, self.first_batch + batch)

    def _stop(self, values, batch):
        step = self.epoch * self.batches_per_epoch + batch + 1
        ids = [str(photograph) for photograph in self.batch_ids(self.epoch, batch)]
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        raise UserError(
            f"{', '.join(f'{name} is {value}' for name, value in values.items())} at step {step} "
            f"(epoch {self.epoch + 1}, batch {batch + 1}), on the photographs "
            f"{', '.join(ids[:NAMED])}{more}; look at these, lower learning_rate, set clip_norm, "
            f"or train with precision float32. Checkpoints are those of before."
        )


def batch_ids_of(image_set, config):
    """Which photographs `balanced_batches` puts into a batch.

    Args:
        image_set: `nfl_keras.data.ImageSet` that is trained on.
        config: `TrainConfig`.

    Returns:
        Function from the numbers of an epoch and of a batch in it, both from 0, to ids.
    """

    def batch_ids(epoch, batch):
        sampler = BalancedSampler(
            image_set.labels,
            config.data.classes_per_batch,
            config.data.images_per_class,
            config.run.seed,
            image_set.class_names,
            config.data.small_classes,
        )
        return image_set.ids[sampler.epoch(epoch)[batch]]

    return batch_ids
