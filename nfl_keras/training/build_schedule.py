"""How the learning rate goes over a run."""

import keras

from nfl_keras.optimizers import WarmUp

SCHEDULES = keras.optimizers.schedules


def build_schedule(config, batches_per_epoch):
    """The learning rate that a `TrainConfig` describes, as a function of the step.

    Args:
        config: `TrainConfig`.
        batches_per_epoch: int, of a whole epoch, also in a run that goes on within one.

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
