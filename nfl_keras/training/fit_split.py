"""Defines how a run trains on a split that is prepared."""

import dataclasses

import numpy as np

from nfl_keras.data import sampled_batches
from nfl_keras.retrieval import pooled_features
from nfl_keras.training.callbacks.checkpoints import Checkpoints
from nfl_keras.training.callbacks.epoch_logs import EpochLogs
from nfl_keras.training.callbacks.evaluate_and_save import EvaluateAndSave
from nfl_keras.training.callbacks.progress import Progress
from nfl_keras.training.callbacks.rest_of_epoch import RestOfEpoch
from nfl_keras.training.callbacks.stop_at_non_finite import StopAtNonFinite
from nfl_keras.training.callbacks.stop_early import StopEarly
from nfl_keras.training.data_clock import DataClock
from nfl_keras.training.prepare_split import PreparedSplit
from nfl_keras.training.start_embedder import start_embedder
from nfl_keras.training.start_reports import StartReports


@dataclasses.dataclass(frozen=True)
class FittedSplit:
    """What training on a split leaves, beside the weights of its model.

    Args:
        start: list of arrays, the embedder's weights before training.
        start_reports: `StartReports`.
        saved: `EvaluateAndSave` with the history and the best epoch.
        progress: `Progress` with the speed.
        checkpoints: `Checkpoints` with the seconds that the run has taken.
    """

    start: list[np.ndarray]
    start_reports: StartReports
    saved: EvaluateAndSave
    progress: Progress
    checkpoints: Checkpoints


def fit_split(split: PreparedSplit) -> FittedSplit:
    """Trains the model of a split, from its latest checkpoint if the run resumes.

    Args:
        split: `PreparedSplit`.

    Returns:
        A `FittedSplit`.

    Raises:
        UserError: if the loss is not finite, or a checkpoint does not fit or cannot be written.
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    run, splits, sampler, model = split.run, split.splits, split.sampler, split.model
    config, folder = run.config, run.folder
    epochs, batches_per_epoch = config.optimizer.epochs, sampler.batches_per_epoch

    saved = EvaluateAndSave(splits.watched, folder, config.evaluation.evaluate_every, epochs)
    clock = DataClock()
    progress = Progress(epochs, batches_per_epoch, sampler.batch_size, clock)
    checkpoints = Checkpoints(
        folder.checkpoints,
        config.run.checkpoint_every,
        sampler,
        splits.train,
        {"saved": saved, "progress": progress},
        saved.keep_best,
        run.termination,
    )
    with run.strategy.scope():
        features = pooled_features if split.cache is None else split.cache.pooled_features
        start = start_embedder(model.embedder, splits.train, config, folder, run.strategy, features)
    start_reports = _restore_or_measure(split, checkpoints)
    epoch, batch = checkpoints.epoch, checkpoints.batch
    patience = config.evaluation.early_stopping_epochs
    callbacks = [
        StopAtNonFinite(sampler, splits.train.ids, batch),
        RestOfEpoch(batches_per_epoch - batch, checkpoints.metrics),
        saved,
        *([StopEarly(saved, patience)] if patience else []),
        progress,
        EpochLogs(folder.logs),
        checkpoints,
    ]
    if split.cache is None:
        batches = sampled_batches(
            splits.train,
            sampler,
            config.embedder.image_size,
            config.data.max_rotation,
            split.recolor,
            first_epoch=epoch,
            first_batch=batch,
            endless=True,
        )
    else:
        batches = split.cache.views.batches(sampler, epoch, batch)
    with run.termination.postponed():
        model.fit(
            clock.watch(batches),
            initial_epoch=epoch,
            epochs=epoch if checkpoints.stopped else epochs,
            steps_per_epoch=batches_per_epoch,
            verbose=0,
            shuffle=False,
            callbacks=callbacks,
        )
    return FittedSplit(start, start_reports, saved, progress, checkpoints)


def _restore_or_measure(split: PreparedSplit, checkpoints: Checkpoints) -> StartReports:
    """Returns the reports of the untrained model, which a run that resumes has stored."""
    config, model = split.run.config, split.model
    if checkpoints.restore(model):
        trained = checkpoints.stopped or checkpoints.epoch == config.optimizer.epochs
        place = f"epoch {checkpoints.epoch + 1}, batch {checkpoints.batch + 1}"
        print(f"resuming {'after training' if trained else f'at {place}'}", flush=True)
        return StartReports.from_dict(checkpoints.facts)
    crops, rerank = config.evaluation.crops, config.evaluation.rerank
    start = StartReports.of(model.embedder, split.splits, crops, rerank)
    checkpoints.facts = dataclasses.asdict(start)
    return start
