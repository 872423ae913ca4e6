"""Defines how a run evaluates a model that is trained, and reports on it."""

import contextlib
import dataclasses
import importlib.metadata
import pathlib
from typing import Any

import numpy as np

from nfl_keras.report import draw_curves, write_report
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.averaged_weights import averaged_weights
from nfl_keras.training.checkpoint_files import remove_checkpoints
from nfl_keras.training.fit_split import FittedSplit
from nfl_keras.training.prepare_split import PreparedSplit
from nfl_keras.training.reporting.figures import figures, in_one_line
from nfl_keras.training.reporting.measures import measures
from nfl_keras.training.reporting.notes import epoch_notes, measure_notes, photograph_notes
from nfl_keras.training.reporting.showcase import retrieval_rows

_PACKAGES = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "faiss-cpu")


def report_split(split: PreparedSplit, fitted: FittedSplit) -> dict[str, float]:
    """Evaluates the trained model, and writes `metrics.json` and then `report.html`.

    Args:
        split: `PreparedSplit`.
        fitted: `FittedSplit`.

    Returns:
        Its `figures`.
    """
    config, folder, splits = split.run.config, split.run.folder, split.splits
    saved, progress, checkpoints = fitted.saved, fitted.progress, fitted.checkpoints
    trained, vectors, measured = _evaluate(split)
    last_epoch = saved.history["epoch"][-1]
    reports_best = config.evaluation.final_epoch == "best"
    folder.write_json(
        "metrics.json",
        {
            "evaluated_on": config.evaluation.evaluate_on,
            "untrained": dataclasses.asdict(fitted.untrained),
            "trained": dataclasses.asdict(trained),
            **measured,
            "final_epoch": saved.best_epoch if reports_best else last_epoch,
            "best_epoch": saved.best_epoch,
            "images_per_second": progress.images_per_second,
            "waiting_share": progress.waiting_share,
            "replicas": split.run.strategy.num_replicas_in_sync,
            "seconds": checkpoints.seconds,
            "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    )
    before, after = figures(fitted.untrained), figures(trained)
    comparable = config.evaluation.crops == 1 and splits.watched is splits.final
    write_report(
        folder.report,
        title=f"{config.data.dataset}, {pathlib.PurePath(config.embedder.backbone).name}",
        summary=splits.final.description,
        metrics=[(name, before[name], after[name]) for name in after],
        curves=draw_curves(saved.history, before if comparable else None, saved.best_epoch),
        rows=retrieval_rows(splits.final, *vectors, seed=config.run.seed),
        config=config.sections(),
        notes=[
            *epoch_notes(config, splits, last_epoch, saved.best_epoch),
            *photograph_notes(trained, split.run.bad_images),
            *measure_notes(measured),
            f"{_capitalized(split.colors)}.",
            f"{_capitalized(split.devices)} took {progress.images_per_second:.0f} images/s, the "
            f"whole run {checkpoints.seconds:.0f} s.",
        ],
    )
    remove_checkpoints(folder.checkpoints)
    print(f"{checkpoints.seconds:.0f} s; report: {folder.report}", flush=True)
    return after


def _evaluate(
    split: PreparedSplit,
) -> tuple[RetrievalReport, tuple[np.ndarray, np.ndarray], dict[str, Any]]:
    """Returns the report after training, the embeddings that it is of, and `measures`."""
    config, model, task = split.run.config, split.model, split.splits.final
    weights: contextlib.AbstractContextManager[None] = averaged_weights(model)
    if config.evaluation.final_epoch == "best":
        model.load_weights(split.run.folder.checkpoint("best"))
        weights = contextlib.nullcontext()
    with weights:
        vectors = task.embed(model.embedder, config.evaluation.crops)
        measured = measures(model, split.splits, vectors[0], config.evaluation.crops)
    trained = task.evaluate(*vectors)
    print(f"trained    {in_one_line(figures(trained))}")
    return trained, vectors, measured


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]
