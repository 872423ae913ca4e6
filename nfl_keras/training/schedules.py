"""How the learning rate goes over a run."""

import keras
from keras import ops

SCHEDULES = keras.optimizers.schedules


def build_schedule(config, batches_per_epoch):
    """The learning rate that a `TrainConfig` describes, as a function of the step.

    Args:
        config: `TrainConfig`.
        batches_per_epoch: int, of a whole epoch, also in a run that goes on within one.

    Returns:
        A `keras.optimizers.schedules.LearningRateSchedule`.
    """
    warmup_steps = round(config.warmup_epochs * batches_per_epoch)
    if config.schedule == "cosine":
        return SCHEDULES.CosineDecay(
            initial_learning_rate=0.0 if warmup_steps else config.learning_rate,
            decay_steps=max(1, config.epochs * batches_per_epoch - warmup_steps),
            warmup_target=config.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    stairs = SCHEDULES.ExponentialDecay(
        config.learning_rate,
        decay_steps=config.step_epochs * batches_per_epoch,
        decay_rate=config.step_factor if config.schedule == "step" else 1.0,
        staircase=True,
    )
    return WarmUp(stairs, warmup_steps) if warmup_steps else stairs


@keras.saving.register_keras_serializable(package="nfl_keras")
class WarmUp(SCHEDULES.LearningRateSchedule):
    """A schedule whose rate rises from 0 over its first steps, in proportion to the step.

    Of the schedules of Keras, `CosineDecay` alone has a warm-up.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`.
        steps: int >= 1, after which the rate is the schedule's own.

    Example:

    >>> stairs = keras.optimizers.schedules.ExponentialDecay(0.002, 1500, 0.1, staircase=True)
    >>> float(WarmUp(stairs, steps=100)(50))
    0.0010000000474974513
    """

    def __init__(self, schedule, steps):
        super().__init__()
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        rate = self.schedule(step)
        return rate * ops.minimum(ops.cast(step, rate.dtype) / self.steps, 1.0)

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "steps": self.steps,
        }

    @classmethod
    def from_config(cls, config):
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])
