"""Defines AdamW with kernel decay and a learning rate for each variable."""

import keras

from nfl_keras.optimizers.grouped_optimizer import GroupedOptimizer


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedAdamW(GroupedOptimizer, keras.optimizers.Adam):
    """AdamW that decays kernels alone and gives each variable its own learning rate.

    With `use_ema` the weights stay as they are when `fit` ends, and the optimizer keeps their
    moving averages.

    Args:
        *args: positional arguments of `keras.optimizers.Adam`.
        kernel_decay: float, decoupled weight decay of the variables whose name contains
            "kernel". A kernel decays at its own learning rate. Defaults to `0.0`.
        rate_factors: floats, one for each trainable weight of the model. A variable learns at
            `learning_rate` times its factor. Defaults to none: all factors are 1.
        **kwargs: keyword arguments of `keras.optimizers.Adam`.

    Raises:
        UserError: from `build`, if there are not as many `rate_factors` as variables.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> model.compile(nfl.optimizers.GroupedAdamW(1e-3, kernel_decay=1e-4, rate_factors=[0.1, 1]))
    >>> model.optimizer.get_config()["rate_factors"]
    [0.1, 1]
    """
