"""A learning rate that rises before its schedule begins."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="nfl_keras")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
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
