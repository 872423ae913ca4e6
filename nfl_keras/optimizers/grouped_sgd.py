"""Defines SGD with kernel decay and a learning rate for each variable."""

import keras

from nfl_keras.optimizers.grouped_optimizer import GroupedOptimizer


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedSGD(GroupedOptimizer, keras.optimizers.SGD):
    """SGD that decays kernels alone and gives each variable its own learning rate.

    With `use_ema` the weights stay as they are when `fit` ends, and the optimizer keeps their
    moving averages.

    Args:
        *args: positional arguments of `keras.optimizers.SGD`.
        kernel_decay: float, decoupled weight decay of the variables whose name contains
            "kernel". A kernel decays at its own learning rate. Defaults to `0.0`.
        rate_factors: floats, one for each trainable weight of the model. A variable learns at
            `learning_rate` times its factor. Defaults to none: all factors are 1.
        **kwargs: keyword arguments of `keras.optimizers.SGD`.

    Raises:
        UserError: from `build`, if there are not as many `rate_factors` as variables.

    Example:

    >>> optimizer = nfl.optimizers.GroupedSGD(0.5, rate_factors=[1, 0.1])
    >>> fast, slow = keras.Variable([1.0]), keras.Variable([1.0])
    >>> optimizer.apply([np.ones(1, "float32"), np.ones(1, "float32")], [fast, slow])
    >>> float(fast[0]), float(slow[0])
    (0.5, 0.949...)
    """
