"""Defines SGD with kernel decay and a learning rate for each variable."""

import keras

from nfl_keras.optimizers.grouped_optimizer import GroupedOptimizer


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedSGD(GroupedOptimizer, keras.optimizers.SGD):
    """SGD that decays kernels alone and gives each variable its own learning rate.

    Args:
        *args: positional arguments of `keras.optimizers.SGD`.
        **kwargs: its keyword arguments, and `kernel_decay` and `rate_factors`, see
            `nfl_keras.optimizers.grouped_optimizer.GroupedOptimizer`.

    Example:

    >>> optimizer = nfl.optimizers.GroupedSGD(0.5, rate_factors=[1, 0.1])
    >>> fast, slow = keras.Variable([1.0]), keras.Variable([1.0])
    >>> optimizer.apply([np.ones(1, "float32"), np.ones(1, "float32")], [fast, slow])
    >>> float(fast[0]), float(slow[0])
    (0.5, 0.949...)
    """
