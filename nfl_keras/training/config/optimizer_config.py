"""Settings of the optimizer and of how long it trains."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_above_zero, check_at_least


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """Settings of the optimizer and of how long it trains.

    Args:
        name: "adamw" or "sgd".
        epochs: Passes over the training photographs.
        learning_rate: Peak of the learning rate, reached by a linear warm-up.
        backbone_rate: Factor on the learning rate of the backbone's weights.
        momentum: Momentum of sgd.
        schedule: How the rate falls: along a "cosine" to 0 at the end, by a factor every few
            epochs ("step"), or not at all ("constant").
        step_epochs: Epochs between the falls of schedule step.
        step_factor: Factor of each of them.
        warmup_epochs: Epochs of warm-up.
        weight_decay: Decoupled weight decay, of kernels only.
        clip_norm: Gradients of a greater norm, of all weights together, are scaled down to it. 0
            leaves them.
        ema: Momentum per step of a moving average of the weights, such as 0.999. The averages are
            measured and saved, while training goes on from the weights themselves. 0 for none.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    epochs: int = 12
    learning_rate: float = 1e-3
    backbone_rate: float = 1.0
    momentum: float = 0.9
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    step_epochs: int = 15
    step_factor: float = 0.1
    warmup_epochs: float = 1.0
    weight_decay: float = 1e-4
    clip_norm: float = 0.0
    ema: float = 0.0

    def __post_init__(self) -> None:
        check_at_least(self, 0, "momentum", "warmup_epochs", "weight_decay", "clip_norm", "ema")
        check_at_least(self, 1, "epochs", "step_epochs")
        check_above_zero(self, "learning_rate", "backbone_rate", "step_factor")
        for name in ("momentum", "ema"):
            if getattr(self, name) >= 1:
                raise UserError(f"{name} must be below 1, not {getattr(self, name)}.")
