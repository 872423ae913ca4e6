"""Defines how a run is trained, from its beginning or from where it stopped."""

import pathlib
import time

import tensorflow as tf

from nfl_keras.data import open_dataset
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.distribution.end_together import end_together
from nfl_keras.distribution.explain_lost_workers import explain_lost_workers
from nfl_keras.distribution.make_strategy import make_strategy
from nfl_keras.distribution.worker_folder import worker_folder
from nfl_keras.errors import UserError, explain_out_of_memory
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.report import write_summary
from nfl_keras.training.build_model import build_embedder
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.open_photographs import open_photographs
from nfl_keras.training.reporting.figures import all_figures, in_one_line, mean_and_deviation
from nfl_keras.training.run import Run
from nfl_keras.training.run_folder import STAGES, RunFolder
from nfl_keras.training.splits import Splits
from nfl_keras.training.termination import Termination
from nfl_keras.training.train_split import train_split
from nfl_keras.typing import Path


def train_run(config: TrainConfig) -> None:
    """Trains as a `TrainConfig` says, and writes a run folder.

    Args:
        config: `TrainConfig`.

    Raises:
        UserError: if the data, the backbone or the run folder cannot be used. Then nothing is
            written.
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    strategy = _strategy(config)
    path = config.run.run_dir or _default_run_dir(config.data.dataset)
    with worker_folder(path, strategy, resume=False) as own:
        dataset, bad = open_photographs(config)
        run = Run(config, RunFolder(own), dataset, bad, strategy, Termination(own))
        if len(config.data.split_seeds) > 1:
            for of_split in run.of_each_split().values():
                Splits.of(dataset, of_split.config)  # This refuses what cannot be split.
            embedder = build_embedder(config)  # This refuses a backbone that does not fit.
            if config.data.cache_views:
                NetworkCut.of(embedder)  # This refuses one that learns from its first layer on.
            RunFolder.create(own, config, bad)
        _train(run)


def resume_run(path: Path) -> None:
    """Resumes a run that was stopped, by its own settings, as if it had not been stopped.

    It resumes from the latest checkpoint, or trains from the beginning if there is none. Splits
    that are finished are not trained again.

    Args:
        path: str or path, the run's folder.

    Raises:
        UserError: if this is not the folder of a run, its checkpoints are torn, or its data,
            backbone or folder cannot be used.
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    folder = RunFolder(path)
    if not folder.exists:
        raise UserError(
            f"there is no run to resume in {str(path)!r}: it holds no config.yaml; name the "
            f"folder that the run printed, or train without --resume."
        )
    config = folder.config()
    if folder.finished:
        print(f"{path} is finished; report: {folder.report}")
        return
    strategy = _strategy(config)
    with worker_folder(path, strategy, resume=True) as own:
        bad = folder.bad_images()
        dataset = open_dataset(
            config.data.dataset, config.data.data_dir, config.data.missing_images
        ).without(bad)
        _train(Run(config, RunFolder(own), dataset, bad, strategy, Termination(own), resumes=True))


def _strategy(config: TrainConfig) -> tf.distribute.Strategy:
    strategy = make_strategy(config.run.strategy)
    if config.run.jit_compile and strategy.num_replicas_in_sync > 1:
        raise UserError(
            f"XLA cannot compile a step that {strategy.num_replicas_in_sync} replicas share; "
            f"leave out jit_compile, or train with strategy one."
        )
    on_one_machine = {"cache_views": config.data.cache_views, "refit": config.evaluation.refit}
    for name, is_set in on_one_machine.items():
        if is_set and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise UserError(
                f"{name} works on one machine; leave it out, or train with strategy mirrored."
            )
    return strategy


def _train(run: Run) -> None:
    if run.config.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    splits = run.of_each_split()
    rows = {}
    for seed, of_split in splits.items():
        name = of_split.folder.path.name
        if len(splits) > 1 and run.resumes and of_split.folder.finished:
            reports = of_split.folder.reports()
            rows[name] = {stage: all_figures(report) for stage, report in reports.items()}
            print(f"\nsplit {seed} is finished: {in_one_line(rows[name]['trained'])}")
            continue
        if len(splits) > 1:
            print(f"\nsplit {seed}")
        with (
            explain_photograph_errors(run.dataset.whole),
            explain_lost_workers(),
            explain_out_of_memory(*_memory_of_a_batch(run.config)),
        ):
            rows[name] = train_split(of_split)
    if len(splits) > 1:
        _summarize(run, rows)
    with explain_lost_workers():
        end_together(run.strategy)


def _memory_of_a_batch(config: TrainConfig) -> tuple[str, str]:
    """Returns what a batch is, and which settings it needs less memory by."""
    classes, images = config.data.classes_per_batch, config.data.images_per_class
    size, precision = config.embedder.image_size, config.run.precision
    remedy = f"lower images_per_class (now {images}), classes_per_batch (now {classes})"
    remedy += f" or image_size (now {size})"
    if not config.run.chunk_size:
        remedy += ", or give a chunk_size (now 0)"
    if precision == "float32":
        remedy += ", or give precision mixed_bfloat16 (now float32)"
    views = f"in every view of the recipe {config.recipe.name}"
    return f"a batch of {classes * images} photographs {views}", f"{remedy}, or a smaller backbone"


def _summarize(run: Run, rows: dict[str, dict[str, dict[str, float]]]) -> None:
    means = {stage: mean_and_deviation([row[stage] for row in rows.values()]) for stage in STAGES}
    run.folder.write_json(
        "metrics.json",
        {
            "splits": {name: row["trained"] for name, row in rows.items()},
            **{
                stage: {"mean": mean, "standard_deviation": deviation}
                for stage, (mean, deviation) in means.items()
            },
        },
    )
    mean, deviation = means["trained"]
    write_summary(
        run.folder.report,
        title=f"{run.config.data.dataset}, {len(rows)} splits",
        summary="One run per seed of the split; its page states the protocol.",
        splits=[(name, row["trained"], f"{name}/report.html") for name, row in rows.items()],
        mean=mean,
        deviation=deviation,
        baselines={"Frozen backbone": means["frozen"], "Untrained": means["untrained"]},
    )
    print()
    for stage, (mean, _) in means.items():
        print(f"{stage:<11}{in_one_line(mean)}, mean")
    print(f"deviation  {in_one_line(deviation)}")
    print(f"report: {run.folder.report}")


def _default_run_dir(dataset: str) -> pathlib.Path:
    name = pathlib.PurePath(dataset).name or "folder"
    return pathlib.Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
