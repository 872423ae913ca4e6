"""Defines the optimizer that decays kernels alone and gives each variable its own rate."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


class GroupedOptimizer(keras.optimizers.Optimizer):
    """The base class of `GroupedAdamW` and `GroupedSGD`, which comes before an optimizer of Keras.

    The optimizers of Keras 3.15 cannot do six things that this class does:

    - Clip all gradients by one global norm. `MultiOptimizer` clips each group by its own norm.
    - Save which variables decay. A loaded model has forgotten `exclude_from_weight_decay`.
    - Decay each variable at its own rate. `weight_decay` uses one rate for all variables.
    - Pull a variable towards the value that it began with.
    - Leave a variable as it is for the first steps.
    - Keep the weights when `fit` ends. With `use_ema`, Keras replaces them by their averages.

    Args:
        *args: positional arguments of the optimizer of Keras.
        kernel_decay: float, decoupled weight decay of the variables whose name contains
            "kernel". A kernel decays at its own learning rate. Defaults to `0.0`.
        rate_factors: floats, one for each variable in the order in which the optimizer is built
            with them. A variable learns at `learning_rate` times its factor. Defaults to none:
            all factors are 1.
        pulls: floats, one for each variable. At each step a variable with a pull moves towards the
            value that it had at the first step, by its learning rate times its pull times the
            distance; it does not decay towards 0. Defaults to none.
        first_steps: ints, one for each variable, the steps for which it stays as it is. Defaults
            to none.
        **kwargs: keyword arguments of the optimizer of Keras.

    Raises:
        UserError: from `build`, if one of the lists is not as long as the list of variables.

    Reference: X. Li et al., Explicit inductive bias for transfer learning with convolutional
    networks, ICML 2018, for the pull (L2-SP).
    """

    def __init__(
        self,
        *args: Any,
        kernel_decay: float = 0.0,
        rate_factors: Iterable[float] = (),
        pulls: Iterable[float] = (),
        first_steps: Iterable[int] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kernel_decay = kernel_decay
        self.rate_factors = tuple(rate_factors)
        self.pulls = tuple(pulls)
        self.first_steps = tuple(first_steps)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        super().build(variables)
        self._decays = tuple("kernel" in variable.name for variable in variables)
        for name in ("rate_factors", "pulls", "first_steps"):
            given = getattr(self, name)
            if given and len(given) != len(variables):
                raise UserError(
                    f"{name} must hold one number for each of the {len(variables)} variables that "
                    f"the optimizer is built with, not {len(given)}."
                )
        self._starts = [
            self.add_variable_from_reference(variable, "start") if pull else None
            for variable, pull in zip(variables, self.pulls, strict=False)
        ]

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        position = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if self.rate_factors and self.rate_factors[position] != 1:
            rate = rate * self.rate_factors[position]
        if self.first_steps and self.first_steps[position]:
            begins = self.iterations >= self.first_steps[position]
            rate = ops.where(begins, rate, ops.zeros_like(rate))
        if self.pulls and self.pulls[position]:
            start = self._starts[position]
            self.assign(start, ops.where(self.iterations == 0, variable, start))
            self.assign_sub(variable, (variable - start) * self.pulls[position] * rate)
        elif self.kernel_decay and self._decays[position]:
            self.assign_sub(variable, variable * self.kernel_decay * rate)
        super().update_step(gradient, variable, rate)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Leaves the weights as they are, so that another `fit` resumes from them."""

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_decay": self.kernel_decay,
            "rate_factors": list(self.rate_factors),
            "pulls": list(self.pulls),
            "first_steps": list(self.first_steps),
        }
