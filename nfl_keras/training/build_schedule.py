"""Defines how a run's learning rate changes with the step."""

import keras

from nfl_keras.optimizers import WarmUp
from nfl_keras.training.config import TrainConfig

SCHEDULES = keras.optimizers.schedules


def build_schedule(
    config: TrainConfig, batches_per_epoch: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Builds the learning rate schedule that a `TrainConfig` describes.

    Args:
        config: `TrainConfig`.
        batches_per_epoch: int, number of batches of a whole epoch.

    Returns:
        A `keras.optimizers.schedules.LearningRateSchedule`.
    """
    warmup_steps = round(config.optimizer.warmup_epochs * batches_per_epoch)
    if config.optimizer.schedule == "cosine":
        return SCHEDULES.CosineDecay(
            initial_learning_rate=0.0 if warmup_steps else config.optimizer.learning_rate,
            decay_steps=max(1, config.optimizer.epochs * batches_per_epoch - warmup_steps),
            warmup_target=config.optimizer.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    stairs = SCHEDULES.ExponentialDecay(
        config.optimizer.learning_rate,
        decay_steps=config.optimizer.step_epochs * batches_per_epoch,
        decay_rate=config.optimizer.step_factor if config.optimizer.schedule == "step" else 1.0,
        staircase=True,
    )
    return WarmUp(stairs, warmup_steps) if warmup_steps else stairs
