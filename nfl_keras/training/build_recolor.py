"""Defines how the colors of training views change, by a run's settings."""

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

from nfl_keras.data import ColorJitter
from nfl_keras.layers import WhiteBalanceEmulation
from nfl_keras.training.config import TrainConfig

Recolor: TypeAlias = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def build_recolor(config: TrainConfig) -> tuple[Recolor | None, str]:
    """Returns the function that changes the colors of a view, see `sampled_batches`.

    Args:
        config: `TrainConfig`.

    Returns:
        `(recolor, description)`: a function from an image and a seed to an image, or `None` if
        colors stay; and a line for logs that says what it does.

    Raises:
        UserError: if the white-balance parameters cannot be used.
    """
    if config.data.color == "none":
        return None, "colors of training views: as they are"
    change: ColorJitter | WhiteBalanceEmulation
    if config.data.color == "jitter":
        change = ColorJitter()
    else:
        change = WhiteBalanceEmulation(config.data.white_balance_parameters)
    return change.recolor, change.describe()
