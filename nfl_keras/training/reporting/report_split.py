"""Defines how a run evaluates a model that is trained, and reports on it."""

import contextlib
import dataclasses
import importlib.metadata
import pathlib
from typing import Any

from nfl_keras.models import merged_lora
from nfl_keras.report import RetrievalRow, draw_blend, draw_curves, write_report
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.averaged_weights import averaged_weights
from nfl_keras.training.blending import Blend, blend, choose_blend
from nfl_keras.training.checkpoint_files import remove_checkpoints
from nfl_keras.training.fit_split import FittedSplit
from nfl_keras.training.prepare_split import PreparedSplit
from nfl_keras.training.reporting.figures import all_figures, figures, in_one_line
from nfl_keras.training.reporting.measures import measures
from nfl_keras.training.reporting.notes import (
    blend_notes,
    epoch_notes,
    floor_notes,
    measure_notes,
    photograph_notes,
    refit_notes,
    rerank_notes,
    train_on_notes,
)
from nfl_keras.training.reporting.showcase import retrieval_rows

_PACKAGES = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "faiss-cpu")


@dataclasses.dataclass(frozen=True)
class _Trained:
    """The trained model's results.

    Args:
        report: `RetrievalReport` of `splits.final`.
        watched: `RetrievalReport` of `splits.watched`, with the crops of `report`.
        rows: list of `RetrievalRow` of `splits.final`.
        measured: dict that `measures` has returned.
        chosen: `Blend`, or `None` if its share was given.
    """

    report: RetrievalReport
    watched: RetrievalReport
    rows: list[RetrievalRow]
    measured: dict[str, Any]
    chosen: Blend | None


def report_split(split: PreparedSplit, fitted: FittedSplit) -> dict[str, dict[str, float]]:
    """Evaluates the trained model, and writes `metrics.json` and then `report.html`.

    Args:
        split: `PreparedSplit`.
        fitted: `FittedSplit`.

    Returns:
        The `figures` of the frozen backbone, the untrained and the trained model, by these names.
    """
    config, folder, splits = split.run.config, split.run.folder, split.splits
    saved, progress, checkpoints = fitted.saved, fitted.progress, fitted.checkpoints
    trained = _evaluate(split, fitted)
    last_epoch = saved.history["epoch"][-1]
    reports_best = config.evaluation.final_epoch == "best"
    stages = {
        "frozen": fitted.start_reports.frozen,
        "untrained": fitted.start_reports.untrained,
        "trained": trained.report,
    }
    folder.write_json(
        "metrics.json",
        {
            "evaluated_on": config.evaluated_on,
            **{stage: dataclasses.asdict(report) for stage, report in stages.items()},
            **trained.measured,
            "final_epoch": saved.best_epoch if reports_best else last_epoch,
            "best_epoch": saved.best_epoch,
            "blend": _blend_metrics(
                config.evaluation.blend, trained.chosen, fitted.start_reports.floor
            ),
            "images_per_second": progress.images_per_second,
            "pace": progress.pace,
            "waiting_share": progress.waiting_share,
            "replicas": split.run.strategy.num_replicas_in_sync,
            "seconds": checkpoints.seconds,
            "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        },
    )
    rows = {stage: all_figures(report) for stage, report in stages.items()}
    comparable = config.evaluation.crops == 1 and splits.watched is splits.final
    curves = draw_curves(saved.history, rows["frozen"] if comparable else None, saved.best_epoch)
    if trained.chosen is not None:
        by_alpha = {alpha: figures(r) for alpha, r in trained.chosen.reports.items()}
        floor = figures(fitted.start_reports.floor)
        curves.append(draw_blend(by_alpha, floor, trained.chosen.alpha))
    below = floor_notes(trained.watched, fitted.start_reports.floor)
    no_test = train_on_notes(config)
    write_report(
        folder.report,
        title=f"{config.data.dataset}, {pathlib.PurePath(config.embedder.backbone).name}",
        summary=splits.final.description,
        models={_TITLES[stage]: row for stage, row in rows.items()},
        curves=curves,
        rows=trained.rows,
        config=config.sections(),
        notes=[
            *no_test,
            *below,
            *epoch_notes(config, splits, last_epoch, saved.best_epoch),
            *blend_notes(config.evaluation.blend, trained.chosen, splits),
            *refit_notes(folder.choice(), config),
            *rerank_notes(trained.report),
            *photograph_notes(trained.report, split.run.bad_images),
            *measure_notes(trained.measured),
            f"{_capitalized(split.colors)}.",
            *([split.cache.note] if split.cache is not None else []),
            f"{_capitalized(split.devices)} took {progress.images_per_second:.0f} images/s, the "
            f"whole run {checkpoints.seconds:.0f} s.",
        ],
    )
    remove_checkpoints(folder.checkpoints)
    folder.start.unlink(missing_ok=True)
    for note in below:
        print(f"warning: {note}")
    for note in no_test:
        print(note)
    if split.cache is not None:
        split.cache.remove()
    print(f"{checkpoints.seconds:.0f} s; report: {folder.report}", flush=True)
    return rows


_TITLES = {"frozen": "Frozen backbone", "untrained": "Untrained", "trained": "Trained"}


def _evaluate(split: PreparedSplit, fitted: FittedSplit) -> _Trained:
    config, model, splits = split.run.config, split.model, split.splits
    crops, share = config.evaluation.crops, config.evaluation.blend
    weights: contextlib.AbstractContextManager[None] = averaged_weights(model)
    if config.evaluation.final_epoch == "best":
        model.load_weights(split.run.folder.checkpoint("best"))
        weights = contextlib.nullcontext()
    with weights, merged_lora(model.embedder):
        chosen = None
        after = model.embedder.get_weights()
        if share == "auto":
            print("choosing the mixture of before and after", flush=True)
            floor = fitted.start_reports.floor
            chosen = choose_blend(
                model.embedder, fitted.start, after, splits.watched, crops, floor=floor
            )
            print(f"blend      alpha {chosen.alpha:g}", flush=True)
        elif share != 1:
            blend(model.embedder, fitted.start, after, share)
        if share != 1:
            split.run.folder.save_checkpoint(model, "blend")
        vectors = splits.final.embed(model.embedder, crops)
        measured = measures(model, splits, vectors[0], crops)
        seed = config.run.seed
        rows = retrieval_rows(splits.final, *vectors, model.embedder, crops, seed=seed)
        report = splits.final.evaluate(*vectors, config.evaluation.rerank)
        print(f"trained    {in_one_line(all_figures(report))}", flush=True)
        if splits.watched is splits.final:
            watched = report
        elif chosen is not None:
            watched = chosen.reports[chosen.alpha]
        else:
            watched = splits.watched.evaluate(*splits.watched.embed(model.embedder, crops))
    return _Trained(report, watched, rows, measured, chosen)


def _blend_metrics(
    share: float | str, chosen: Blend | None, floor: RetrievalReport
) -> dict[str, Any]:
    if chosen is None:
        return {"alpha": share}
    tried = {f"{alpha:g}": figures(report) for alpha, report in chosen.reports.items()}
    return {"alpha": chosen.alpha, "frozen": figures(floor), "validation": tried}


def _capitalized(text: str) -> str:
    return text[0].upper() + text[1:]
