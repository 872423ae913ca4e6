"""Defines the optimizer that decays kernels alone and gives each variable its own rate."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


class GroupedOptimizer(keras.optimizers.Optimizer):
    """The base class of `GroupedAdamW` and `GroupedSGD`, which comes before an optimizer of Keras.

    The optimizers of Keras 3.15 cannot do four things that this class does:

    - Clip all gradients by one global norm. `MultiOptimizer` clips each group by its own norm.
    - Save which variables decay. A loaded model has forgotten `exclude_from_weight_decay`.
    - Decay each variable at its own rate. `weight_decay` uses one rate for all variables.
    - Keep the weights when `fit` ends. With `use_ema`, Keras replaces them by their averages.

    Args:
        *args: positional arguments of the optimizer of Keras.
        kernel_decay: float, decoupled weight decay of the variables whose name contains
            "kernel". A kernel decays at its own learning rate. Defaults to `0.0`.
        rate_factors: floats, one for each variable in the order in which the optimizer is built
            with them. A variable learns at `learning_rate` times its factor. Defaults to none:
            all factors are 1.
        **kwargs: keyword arguments of the optimizer of Keras.

    Raises:
        UserError: from `build`, if there are not as many `rate_factors` as variables.
    """

    def __init__(
        self,
        *args: Any,
        kernel_decay: float = 0.0,
        rate_factors: Iterable[float] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kernel_decay = kernel_decay
        self.rate_factors = tuple(rate_factors)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        super().build(variables)
        self._decays = tuple("kernel" in variable.name for variable in variables)
        if self.rate_factors and len(self.rate_factors) != len(variables):
            raise UserError(
                f"rate_factors must hold one factor for each of the {len(variables)} variables "
                f"that the optimizer is built with, not {len(self.rate_factors)}."
            )

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        position = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if self.rate_factors and self.rate_factors[position] != 1:
            rate = rate * self.rate_factors[position]
        if self.kernel_decay and self._decays[position]:
            self.assign_sub(variable, variable * self.kernel_decay * rate)
        super().update_step(gradient, variable, rate)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Leaves the weights as they are, so that another `fit` resumes from them."""

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_decay": self.kernel_decay,
            "rate_factors": list(self.rate_factors),
        }
