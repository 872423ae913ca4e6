"""A whole training run: data, model, training, evaluation, report."""

import dataclasses
import importlib.metadata
import pathlib
import time

import keras

from nfl_keras.data import balanced_batches
from nfl_keras.report import write_report, write_summary
from nfl_keras.training.checkpoints import EvaluateAndSave
from nfl_keras.training.colours import build_recolour
from nfl_keras.training.figures import figures, in_one_line, mean_and_deviation
from nfl_keras.training.learning import build_model, build_optimizer
from nfl_keras.training.notes import epoch_notes, photograph_notes
from nfl_keras.training.photographs import blaming_photographs, open_photographs
from nfl_keras.training.progress import Progress
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.showcase import retrieval_rows
from nfl_keras.training.splits import Splits


def train(config):
    """Trains as a `TrainConfig` says, and writes a run folder.

    Args:
        config: `TrainConfig`.

    Raises:
        UserError: if the data, the backbone or the run folder cannot be used; nothing is
            written then.
    """
    path = config.run_dir or _default_run_dir(config.dataset)
    dataset, bad = open_photographs(config)
    if len(config.split_seeds) == 1:
        with blaming_photographs(dataset.whole):
            train_split(config, dataset, path, bad)
        return
    folder = RunFolder.create(path, config, bad)
    rows = {}
    for seed in config.split_seeds:
        print(f"\nsplit {seed}")
        of_split = folder.split(seed)
        of_seed = dataclasses.replace(config, split_seeds=[seed])
        with blaming_photographs(dataset.whole):
            rows[of_split.path.name] = train_split(of_seed, dataset, of_split.path, bad)
    mean, deviation = mean_and_deviation(list(rows.values()))
    folder.write_json(
        "metrics.json", {"splits": rows, "mean": mean, "standard_deviation": deviation}
    )
    write_summary(
        folder.report,
        title=f"{config.dataset}, {len(rows)} splits",
        summary="One run per seed of the split; its page states the protocol.",
        splits=[(name, row, f"{name}/report.html") for name, row in rows.items()],
        mean=mean,
        deviation=deviation,
    )
    print(f"\nmean       {in_one_line(mean)}\ndeviation  {in_one_line(deviation)}")
    print(f"report: {folder.report}")


def train_split(config, dataset, path, bad=()):
    """Trains on the one split of `config.split_seeds` and returns its `figures`.

    Args:
        config: `TrainConfig`.
        dataset: `nfl_keras.data.Dataset`.
        path: str or path, the run's folder.
        bad: dict from the ids of photographs left out to the reasons. Defaults to none.
    """
    start = time.perf_counter()
    keras.utils.set_random_seed(config.seed)
    splits = Splits.of(dataset, config)
    recolour, colour_words = build_recolour(config)
    batches = balanced_batches(
        splits.train,
        config.classes_per_batch,
        config.images_per_class,
        config.image_size,
        config.seed,
        config.max_rotation,
        config.small_classes,
        recolour,
    )
    model = build_model(config, num_classes=len(splits.train.class_names))
    model.compile(build_optimizer(config, len(batches)))
    folder = RunFolder.create(path, config, bad)
    print(splits.final.protocol)
    if splits.watched is not splits.final:
        print(f"epochs measured on: {splits.watched.protocol}")
    print(colour_words)
    untrained = splits.final.evaluate(*splits.final.embed(model.embedder, config.crops))
    print(f"untrained  {in_one_line(figures(untrained))}", flush=True)

    saved = EvaluateAndSave(splits.watched, folder, config.evaluate_every, config.epochs)
    batch_size = config.classes_per_batch * config.images_per_class
    progress = Progress(config.epochs, len(batches), batch_size)
    board = keras.callbacks.TensorBoard(folder.logs, write_graph=False)
    callbacks = [saved, progress, board]
    model.fit(batches, epochs=config.epochs, verbose=0, shuffle=False, callbacks=callbacks)
    if config.final_epoch == "best":
        model.load_weights(folder.checkpoint("best"))

    vectors = splits.final.embed(model.embedder, config.crops)
    trained = splits.final.evaluate(*vectors)
    print(f"trained    {in_one_line(figures(trained))}")
    seconds = time.perf_counter() - start
    metrics = {
        "evaluated_on": config.evaluate_on,
        "untrained": dataclasses.asdict(untrained),
        "trained": dataclasses.asdict(trained),
        "final_epoch": saved.best_epoch if config.final_epoch == "best" else config.epochs,
        "best_epoch": saved.best_epoch,
        "images_per_second": progress.images_per_second,
        "seconds": seconds,
        "versions": _versions(),
    }
    folder.write_json("metrics.json", metrics)
    before, after = figures(untrained), figures(trained)
    write_report(
        folder.report,
        title=f"{config.dataset}, {pathlib.PurePath(config.backbone).name}",
        summary=splits.final.protocol,
        metrics=[(name, before[name], after[name]) for name in after],
        history=saved.history,
        rows=retrieval_rows(splits.final, *vectors, seed=config.seed),
        config=dataclasses.asdict(config),
        best_epoch=saved.best_epoch,
        notes=[
            *epoch_notes(config, splits, saved.best_epoch),
            *photograph_notes(trained, bad),
            f"{colour_words[0].upper()}{colour_words[1:]}.",
            f"Training took {progress.images_per_second:.0f} images/s, the whole run "
            f"{seconds:.0f} s.",
        ],
    )
    print(f"{seconds:.0f} s; report: {folder.report}", flush=True)
    return after


def _default_run_dir(dataset):
    name = pathlib.PurePath(dataset).name or "folder"
    return pathlib.Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def _versions():
    names = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "faiss-cpu")
    return {name: importlib.metadata.version(name) for name in names}
