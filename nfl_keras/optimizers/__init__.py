"""What Keras' own optimizers and schedules lack."""

from nfl_keras.optimizers.grouped import GroupedAdamW, GroupedSGD
from nfl_keras.optimizers.warm_up import WarmUp

__all__ = ["GroupedAdamW", "GroupedSGD", "WarmUp"]
