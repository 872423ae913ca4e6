"""Defines AdamW with kernel decay and a learning rate for each variable."""

import keras

from nfl_keras.optimizers.grouped_optimizer import GroupedOptimizer


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedAdamW(GroupedOptimizer, keras.optimizers.Adam):
    """AdamW that decays kernels alone and gives each variable its own learning rate.

    Args:
        *args: positional arguments of `keras.optimizers.Adam`.
        **kwargs: its keyword arguments, and `kernel_decay` and `rate_factors`, see
            `nfl_keras.optimizers.grouped_optimizer.GroupedOptimizer`.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> model.compile(nfl.optimizers.GroupedAdamW(1e-3, kernel_decay=1e-4, rate_factors=[0.1, 1]))
    >>> model.optimizer.get_config()["rate_factors"]
    [0.1, 1]
    """
