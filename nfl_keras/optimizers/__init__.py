"""Optimizers and a learning-rate schedule with what the ones of Keras lack."""

from nfl_keras.optimizers.grouped_adamw import GroupedAdamW
from nfl_keras.optimizers.grouped_sgd import GroupedSGD
from nfl_keras.optimizers.warm_up import WarmUp

__all__ = ["GroupedAdamW", "GroupedSGD", "WarmUp"]
