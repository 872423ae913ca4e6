"""Defines the base class of the pair-based losses for `compile()`."""

from collections.abc import Callable
from typing import Any, ClassVar

import keras

from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss
from nfl_keras.typing import Tensor


class PairLoss(PerAnchorLoss):
    """A loss between labels and embeddings that a function of both computes.

    A subclass names the function and passes the settings that the function takes.

    Args:
        reduction: str or `None`, as in `keras.losses.Loss`. The mean is over the anchors that have
            both a positive and a negative in the batch.
        name: str.
        **settings: arguments of the function by name, kept as attributes.

    Raises:
        UserError: if the function refuses a setting.
    """

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, reduction: str | None, name: str, **settings: Any) -> None:
        super().__init__(reduction=reduction, name=name)
        self._names = tuple(settings)
        for setting, value in settings.items():
            setattr(self, setting, value)
        # The function checks its settings, and computes nothing for symbolic tensors.
        self.per_anchor(keras.KerasTensor((2,), "int32"), keras.KerasTensor((2, 2)))

    def settings(self) -> dict[str, Any]:
        """Returns the settings by name."""
        return {name: getattr(self, name) for name in self._names}

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return type(self).function(y_pred, y_true, **self.settings())

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return has_pairs(y_true)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings()}
