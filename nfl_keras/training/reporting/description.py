"""What a finished run says of its model to those who use it elsewhere."""

from nfl_keras.models.backbones import TINY

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


def describe(folder, config, checkpoint):
    """The model of a run, in JSON values.

    Args:
        folder: `RunFolder` of a finished run over one split.
        config: its `TrainConfig`.
        checkpoint: `"last"` or `"best"`, which model is meant.

    Returns:
        Dict of `"checkpoint"`, `"protocol"`, `"data"`, `"config"` and `"metrics"`, which is `None`
        for a checkpoint that the run did not measure; and `"weights_license"` for a model that was
        trained from random weights.

    Raises:
        UserError: if the run's results cannot be read.
    """
    report = folder.trained()
    metrics = None
    if checkpoint == config.evaluation.final_epoch:
        figures = {name: getattr(report, name) for name in _FIGURES}
        metrics = {
            "evaluated_on": config.evaluation.evaluate_on,
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
