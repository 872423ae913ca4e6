"""Optimizers that decay kernels alone, and let a part of the weights learn at another rate."""

import keras
from keras import ops


class _Grouped:
    """What `GroupedAdamW` and `GroupedSGD` add to the optimizers of Keras.

    Keras' own way to groups of weights, `MultiOptimizer`, clips each group by its own norm and
    tells groups apart by the names of layers, and no optimizer of Keras saves which weights it
    leaves out of the decay. This is one optimizer, and its config says all that it does.

    Args:
        *args: as for the optimizer of Keras.
        kernel_decay: float, decoupled weight decay of the weights that are called kernels, at
            the rate that each learns at. Defaults to `0.0`.
        slow: ints, positions among the weights that the optimizer is built with of those that
            learn at `slow_rate`. Defaults to none.
        slow_rate: float, a factor on the learning rate of these. Defaults to `1.0`.
        **kwargs: as for the optimizer of Keras.
    """

    def __init__(self, *args, kernel_decay=0.0, slow=(), slow_rate=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.kernel_decay = kernel_decay
        self.slow = tuple(slow)
        self.slow_rate = slow_rate

    def build(self, variables):
        super().build(variables)
        self._decays = tuple("kernel" in variable.name for variable in variables)

    def update_step(self, gradient, variable, learning_rate):
        position = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if position in self.slow:
            rate = rate * self.slow_rate
        if self.kernel_decay and self._decays[position]:
            self.assign_sub(variable, variable * self.kernel_decay * rate)
        super().update_step(gradient, variable, rate)

    def finalize_variable_values(self, var_list):
        """Leaves the weights as they are.

        Keras puts the moving averages in their place when `fit` ends. A run that goes on in
        another `fit` would lose the weights that it was training; see `averaged_weights`.
        """

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_decay": self.kernel_decay,
            "slow": list(self.slow),
            "slow_rate": self.slow_rate,
        }


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedAdamW(_Grouped, keras.optimizers.Adam):
    """AdamW with decay of kernels alone, and a rate of its own for some of the weights.

    Args: as for `keras.optimizers.Adam`, and `kernel_decay`, `slow` and `slow_rate`.

    Example:

    >>> GroupedAdamW(1e-3, kernel_decay=1e-4, slow=range(60), slow_rate=0.1)
    """


@keras.saving.register_keras_serializable(package="nfl_keras")
class GroupedSGD(_Grouped, keras.optimizers.SGD):
    """SGD with decay of kernels alone, and a rate of its own for some of the weights.

    Args: as for `keras.optimizers.SGD`, and `kernel_decay`, `slow` and `slow_rate`.

    Example:

    >>> GroupedSGD(2e-3, momentum=0.9, kernel_decay=1e-4)
    """
