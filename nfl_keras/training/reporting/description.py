"""Defines how a finished run describes its model, for a model card."""

from typing import Any

from nfl_keras.models.load_backbone import TINY
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder

_FIGURES = (
    "recall_at",
    "map",
    "map_at",
    "map_at_hits",
    "precision_at",
    "num_queries",
    "num_skipped",
    "num_gallery",
)
_NO_OTHERS = "no others' weights are in it: it was trained from random ones"


def describe(folder: RunFolder, config: TrainConfig, checkpoint: str) -> dict[str, Any]:
    """Describes the model of a run in JSON values.

    Args:
        folder: `RunFolder` of a finished run over one split.
        config: the run's `TrainConfig`.
        checkpoint: `"last"`, `"best"` or `"blend"`, the model to describe.

    Returns:
        Dict of `"checkpoint"`, `"protocol"`, `"data"`, `"config"`, `"metrics"` and, for a model
        that was trained from random weights, `"weights_license"`. `"metrics"` is `None` for a
        model that the run did not measure.

    Raises:
        UserError: if the run's results cannot be read.
    """
    report = folder.reports()["trained"]
    metrics = None
    if checkpoint == config.evaluation.final_checkpoint:
        figures = {name: getattr(report, name) for name in _FIGURES}
        metrics = {
            "evaluated_on": config.evaluated_on,
            "crops": config.evaluation.crops,
            **figures,
        }
    license = {"weights_license": _NO_OTHERS} if config.embedder.backbone == TINY else {}
    return {
        "checkpoint": checkpoint,
        "protocol": report.protocol,
        "data": {"dataset": config.data.dataset, "photographs_left_out": len(folder.bad_images())},
        "metrics": metrics,
        "config": config.sections(),
        **license,
    }
