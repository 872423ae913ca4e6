"""Settings of what is measured, when and on which photographs."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class EvaluationConfig:
    """Settings of what is measured, when and on which photographs.

    Args:
        evaluate_on: "test", or "validation" to leave the test photographs alone and measure on
            held out ones, for choosing settings: on validation_classes, or else on a quarter of
            the training split (classes under zero-shot, photographs under fine-grained).
        validation_classes: Training classes held out, on which the epochs are measured and the
            best one chosen (2 or more: one alone is always found). 0 measures epochs on the test
            queries.
        crops: Crops per photograph in the final evaluation, 1 or 3.
        evaluate_every: Epochs between evaluations (with one crop) during training; 0 for none.
        final_epoch: Whose figures the run reports: the "last" epoch's, or the "best" one's by
            mAP, which is no test result unless there are validation_classes.
        early_stopping_epochs: Stop after so many epochs without a better mAP. 0 never stops early.
    """

    evaluate_on: Literal["test", "validation"] = "test"
    validation_classes: int = 0
    crops: Literal[1, 3] = 1
    evaluate_every: int = 1
    final_epoch: Literal["last", "best"] = "last"
    early_stopping_epochs: int = 0

    def __post_init__(self) -> None:
        check_at_least(self, 0, "validation_classes", "evaluate_every", "early_stopping_epochs")
        if self.final_epoch == "best" and not self.evaluate_every:
            raise UserError("final_epoch best needs evaluate_every above 0.")
        if self.early_stopping_epochs and not self.evaluate_every:
            raise UserError("early_stopping_epochs needs evaluate_every above 0.")
