"""What a recipe computes of each batch: terms that it learns, and measures that it reports."""

import dataclasses
from collections.abc import Callable, Mapping

from nfl_keras.errors import UserError
from nfl_keras.models.outputs import Outputs
from nfl_keras.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Term:
    """One named, weighted part of an objective.

    Args:
        name: str, under which `fit` reports it.
        weight: float >= 0. With 0 the term is left out: neither computed nor reported.
        values: function from `Outputs` to float32 `[B]`, one value per anchor.
        anchors: function from labels `[B]` to bool `[B]`, the anchors that have this term.
            Defaults to all.

    Raises:
        UserError: if the weight is below 0.

    Example:

    >>> def spread(outputs):
    ...     return keras.ops.sum(outputs.features["clean"] ** 2, axis=1)
    >>> term = nfl.models.Term("spread", 0.1, spread)
    """

    name: str
    weight: float
    values: Callable[[Outputs], Tensor]
    anchors: Callable[[Tensor], Tensor] | None = None

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise UserError(f"the weight of {self.name} must be 0 or more, not {self.weight}.")


@dataclasses.dataclass(frozen=True)
class Measure:
    """A named quantity that `fit` reports and the model does not learn, such as an accuracy.

    Args:
        name: str, under which `fit` reports it.
        values: function from `Outputs` to float32 `[B]`, one value per anchor.
        anchors: function from labels `[B]` to bool `[B]`, the anchors over which its mean is
            taken. Defaults to all.

    Example:

    >>> def norm(outputs):
    ...     return keras.ops.norm(outputs.features["clean"], axis=1)
    >>> measure = nfl.models.Measure("norm", norm)
    """

    name: str
    values: Callable[[Outputs], Tensor]
    anchors: Callable[[Tensor], Tensor] | None = None


def check_weights(weights: Mapping[str, float]) -> None:
    """Raises `UserError` unless no weight is below 0 and one is above 0.

    Args:
        weights: dict of a setting's name to its value.
    """
    rule = f"of the weights {dict(weights)} none may be below 0 and one must be above 0"
    if any(not weight >= 0 for weight in weights.values()):
        raise UserError(f"{rule}.")
    if not any(weights.values()):
        raise UserError(f"{rule}: these leave nothing to learn.")


def check_noise_stddev(noise_stddev: float) -> None:
    """Raises `UserError` unless `noise_stddev` is 0 or more."""
    if not noise_stddev >= 0:
        raise UserError(f"noise_stddev must be 0 or more, not {noise_stddev}.")
