"""Defines a learning-rate schedule that begins with a warm-up."""

from typing import Any

import keras
from keras import ops

from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule whose rate rises linearly from 0 over its first steps.

    `CosineDecay` is the only schedule of Keras 3.15 with a warm-up. This class gives one to any
    other schedule.

    Args:
        schedule: `keras.optimizers.schedules.LearningRateSchedule`, in which the steps of the
            warm-up count, too.
        steps: int >= 1, number of steps after which the rate is the one of `schedule`.

    Example:

    >>> stairs = keras.optimizers.schedules.ExponentialDecay(0.5, 1500, 0.1, staircase=True)
    >>> schedule = nfl.optimizers.WarmUp(stairs, steps=100)
    >>> float(schedule(50)), float(schedule(200))
    (0.25, 0.5)
    """

    def __init__(
        self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int
    ) -> None:
        super().__init__()
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step: Tensor) -> Tensor:
        rate = self.schedule(step)
        return rate * ops.minimum(ops.cast(step, rate.dtype) / self.steps, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "steps": self.steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["steps"])
