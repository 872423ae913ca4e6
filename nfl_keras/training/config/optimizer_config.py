"""Settings of the optimizer, and of how long it trains."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_above_zero, check_at_least


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """Settings of the optimizer, and of how long it trains.

    Args:
        name: "adamw" or "sgd".
        epochs: Passes over the training photographs.
        learning_rate: Highest learning rate. A linear warm-up leads to it.
        backbone_rate: Factor on the learning rate of the backbone's weights.
        momentum: Momentum of sgd.
        schedule: How the learning rate falls: "cosine" to 0 at the end, "step" by a factor every
            few epochs, "constant" not at all.
        step_epochs: Epochs from one fall of schedule step to the next.
        step_factor: Factor on the learning rate at each fall of schedule step.
        warmup_epochs: Epochs of warm-up.
        weight_decay: Decoupled weight decay. It applies to kernels alone.
        clip_norm: Largest norm of the gradient of all weights together; a longer gradient is scaled
            down to it. 0 does not clip.
        ema: Momentum per step of a moving average of the weights, such as 0.999. The run evaluates
            and saves the average; training continues from the weights themselves. 0 keeps no
            average.
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
