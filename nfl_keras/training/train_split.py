"""Trains on one split: data, model, training, evaluation, report."""

import contextlib
import dataclasses
import importlib.metadata
import pathlib

import keras

from nfl_keras.data import BalancedSampler, balanced_batches
from nfl_keras.distribution.strategies import in_words
from nfl_keras.report import draw_curves, write_report
from nfl_keras.retrieval import RetrievalReport
from nfl_keras.training.averaged_weights import averaged_weights
from nfl_keras.training.build_model import build_model, compile_model
from nfl_keras.training.callbacks.checkpoints import Checkpoints
from nfl_keras.training.callbacks.epoch_logs import EpochLogs
from nfl_keras.training.callbacks.evaluate_and_save import EvaluateAndSave
from nfl_keras.training.callbacks.progress import Progress
from nfl_keras.training.callbacks.stop_at_non_finite import StopAtNonFinite, batch_ids_of
from nfl_keras.training.callbacks.stop_early import StopEarly
from nfl_keras.training.checkpoint_files import remove_checkpoints
from nfl_keras.training.data_clock import DataClock
from nfl_keras.training.recolor import build_recolor
from nfl_keras.training.reporting.figures import figures, in_one_line
from nfl_keras.training.reporting.measures import measures
from nfl_keras.training.reporting.notes import epoch_notes, measure_notes, photograph_notes
from nfl_keras.training.reporting.showcase import retrieval_rows
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits


def train_split(config, dataset, folder, bad, goes_on, termination, strategy):
    """Trains on the one split of `config.data.split_seeds`.

    Args:
        config: `TrainConfig`.
        dataset: `nfl_keras.data.Dataset`.
        folder: `RunFolder`.
        bad: dict from the ids of photographs left out to the reasons.
        goes_on: bool, whether to go on with the run that the folder holds, if it holds one.
        termination: `Termination`.
        strategy: `tf.distribute.Strategy` to train by.

    Returns:
        Its `figures`.

    Raises:
        UserError: as `nfl_keras.training.run.train` and `resume` do.
    """
    keras.utils.set_random_seed(config.run.seed)
    splits = Splits.of(dataset, config)
    recolor, color_words = build_recolor(config)

    def batches(**which):
        return balanced_batches(
            splits.train,
            config.data.classes_per_batch,
            config.data.images_per_class,
            config.embedder.image_size,
            config.run.seed,
            config.data.max_rotation,
            config.data.small_classes,
            recolor,
            **which,
        )

    sampler = BalancedSampler(
        splits.train.labels,
        config.data.classes_per_batch,
        config.data.images_per_class,
        config.run.seed,
        splits.train.class_names,
        config.data.small_classes,
    )
    batches_per_epoch = sampler.batches_per_epoch
    with strategy.scope():
        model = build_model(config, splits.train.classes)
        compile_model(model, config, batches_per_epoch)
        model.optimizer.build(model.trainable_variables)
    if not (goes_on and folder.begun):
        RunFolder.create(folder.path, config, bad)
    print(splits.final.description)
    if splits.watched is not splits.final:
        print(f"epochs measured on: {splits.watched.description}")
    print(color_words)
    print(f"training {in_words(strategy)}")
    with termination:
        saved = EvaluateAndSave(
            splits.watched, folder, config.evaluation.evaluate_every, config.optimizer.epochs
        )
        clock = DataClock()
        progress = Progress(config.optimizer.epochs, batches_per_epoch, sampler.batch_size, clock)
        checkpoints = Checkpoints(
            folder.checkpoints,
            config.run.checkpoint_every,
            batches_per_epoch,
            config.run.seed,
            splits.train,
            remembered={
                "saved": (saved, ["history", "best_epoch", "best_map"]),
                "progress": (
                    progress,
                    ["batches_done", "batches_timed", "seconds", "seconds_waited"],
                ),
            },
            settle=saved.settle,
            termination=termination,
        )
        untrained = _untrained(splits.final, model, config, checkpoints)
        stop = config.evaluation.early_stopping_epochs
        callbacks = [
            StopAtNonFinite(
                batch_ids_of(splits.train, config), batches_per_epoch, checkpoints.batch
            ),
            checkpoints.rest_of_epoch(),
            saved,
            *([StopEarly(saved, stop)] if stop else []),
            progress,
            EpochLogs(folder.logs),
            checkpoints,
        ]
        with termination.deferred():
            model.fit(
                clock.watch(
                    batches(
                        first_epoch=checkpoints.epoch,
                        first_batch=checkpoints.batch,
                        endless=True,
                    )
                ),
                initial_epoch=checkpoints.epoch,
                epochs=checkpoints.epoch if checkpoints.stopped else config.optimizer.epochs,
                steps_per_epoch=batches_per_epoch,
                verbose=0,
                shuffle=False,
                callbacks=callbacks,
            )
        trained, vectors, measured = _trained(splits, model, config, folder)
        last_epoch = saved.history["epoch"][-1]
        metrics = {
            "evaluated_on": config.evaluation.evaluate_on,
            "untrained": dataclasses.asdict(untrained),
            "trained": dataclasses.asdict(trained),
            **measured,
            "final_epoch": saved.best_epoch
            if config.evaluation.final_epoch == "best"
            else last_epoch,
            "best_epoch": saved.best_epoch,
            "images_per_second": progress.images_per_second,
            "waiting_share": progress.waiting_share,
            "replicas": strategy.num_replicas_in_sync,
            "seconds": checkpoints.seconds,
            "versions": _versions(),
        }
        folder.write_json("metrics.json", metrics)
        before, after = figures(untrained), figures(trained)
        before_compares = config.evaluation.crops == 1 and splits.watched is splits.final
        write_report(
            folder.report,
            title=f"{config.data.dataset}, {pathlib.PurePath(config.embedder.backbone).name}",
            summary=splits.final.description,
            metrics=[(name, before[name], after[name]) for name in after],
            curves=draw_curves(
                saved.history, before if before_compares else None, saved.best_epoch
            ),
            rows=retrieval_rows(splits.final, *vectors, seed=config.run.seed),
            config=config.sections(),
            notes=[
                *epoch_notes(config, splits, last_epoch, saved.best_epoch),
                *photograph_notes(trained, bad),
                *measure_notes(measured),
                f"{color_words[0].upper()}{color_words[1:]}.",
                f"Training {in_words(strategy)} took {progress.images_per_second:.0f} images/s, "
                f"the whole run {checkpoints.seconds:.0f} s.",
            ],
        )
        remove_checkpoints(folder.checkpoints)
        print(f"{checkpoints.seconds:.0f} s; report: {folder.report}", flush=True)
        return after


def _untrained(search, model, config, checkpoints):
    """The report before training, of a run that goes on as it found it when it began."""
    facts = checkpoints.take_up(model)
    if facts:
        place = f"epoch {checkpoints.epoch + 1}, batch {checkpoints.batch + 1}"
        trained = checkpoints.stopped or checkpoints.epoch == config.optimizer.epochs
        print(f"going on {'when training is done' if trained else f'at {place}'}", flush=True)
        return RetrievalReport(**facts["untrained"])
    untrained = search.evaluate(*search.embed(model.embedder, config.evaluation.crops))
    checkpoints.facts = {"untrained": dataclasses.asdict(untrained)}
    print(f"untrained  {in_one_line(figures(untrained))}", flush=True)
    return untrained


def _trained(splits, model, config, folder):
    """The report after training, the vectors that it is of, and `measures`."""
    weights = averaged_weights(model)
    if config.evaluation.final_epoch == "best":
        model.load_weights(folder.checkpoint("best"))
        weights = contextlib.nullcontext()
    with weights:
        vectors = splits.final.embed(model.embedder, config.evaluation.crops)
        measured = measures(model, splits, vectors[0], config.evaluation.crops)
    trained = splits.final.evaluate(*vectors)
    print(f"trained    {in_one_line(figures(trained))}")
    return trained, vectors, measured


def _versions():
    names = ("nfl_keras", "tensorflow", "keras", "keras-hub", "numpy", "faiss-cpu")
    return {name: importlib.metadata.version(name) for name in names}
