"""A whole training run, over one split or several, from its beginning or from where it stopped."""

import pathlib
import time

import tensorflow as tf

from nfl_keras.data import open_dataset
from nfl_keras.distribution.strategies import strategy_of
from nfl_keras.distribution.workers import missing_workers, own_folder
from nfl_keras.errors import UserError
from nfl_keras.report import write_summary
from nfl_keras.training.open_photographs import blaming_photographs, open_photographs
from nfl_keras.training.reporting.figures import figures, in_one_line, mean_and_deviation
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits
from nfl_keras.training.termination import Termination
from nfl_keras.training.train_split import train_split


def train(config):
    """Trains as a `TrainConfig` says, and writes a run folder.

    Args:
        config: `TrainConfig`.

    Raises:
        UserError: if the data, the backbone or the run folder cannot be used; nothing is
            written then.
        SystemExit: after SIGTERM, with code 0, when a checkpoint is written.
    """
    strategy = strategy_of(config.run.strategy)
    path = config.run.run_dir or _default_run_dir(config.data.dataset)
    with own_folder(path, strategy, goes_on=False) as own:
        dataset, bad = open_photographs(config)
        if len(config.data.split_seeds) > 1:
            for of_seed in _of_each_split(config):
                Splits.of(dataset, of_seed)
            RunFolder.create(own, config, bad)
        _train_splits(config, dataset, RunFolder(own), bad, False, strategy)


def resume(path):
    """Goes on with a run that was stopped, by its own settings, as if it had not been.

    It goes on from its latest checkpoint, or begins again if it has none yet. Splits that are
    finished are not trained again.

    Args:
        path: str, the run's folder.

    Raises:
        UserError: if this is not the folder of a run, its checkpoints are torn, or its data,
            backbone or folder cannot be used.
        SystemExit: after SIGTERM, with code 0, when a checkpoint is written.
    """
    folder = RunFolder(path)
    if not folder.begun:
        raise UserError(
            f"there is no run to go on with in {str(path)!r}: it holds no config.yaml; name the "
            f"folder that the run printed, or train without --resume."
        )
    config = folder.config()
    if folder.finished:
        print(f"{path} is finished; report: {folder.report}")
        return
    strategy = strategy_of(config.run.strategy)
    with own_folder(path, strategy, goes_on=True) as own:
        bad = folder.bad_images()
        dataset = open_dataset(
            config.data.dataset, config.data.data_dir, config.data.missing_images
        )
        _train_splits(config, dataset.without(bad), RunFolder(own), bad, True, strategy)


def _train_splits(config, dataset, folder, bad, goes_on, strategy):
    if config.run.deterministic:
        tf.config.experimental.enable_op_determinism()
    termination = Termination(folder.path)

    def train_one(of_seed, folder):
        with blaming_photographs(dataset.whole), missing_workers():
            return train_split(of_seed, dataset, folder, bad, goes_on, termination, strategy)

    if len(config.data.split_seeds) == 1:
        train_one(config, folder)
        return
    rows = {}
    for of_seed in _of_each_split(config):
        (seed,) = of_seed.data.split_seeds
        of_split = folder.split(seed)
        name = of_split.path.name
        if goes_on and of_split.finished:
            rows[name] = figures(of_split.trained())
            print(f"\nsplit {seed} is finished: {in_one_line(rows[name])}")
            continue
        print(f"\nsplit {seed}")
        rows[name] = train_one(of_seed, of_split)
    _summarize(config, folder, rows)


def _of_each_split(config):
    return [config.replace(split_seeds=[seed]) for seed in config.data.split_seeds]


def _summarize(config, folder, rows):
    mean, deviation = mean_and_deviation(list(rows.values()))
    folder.write_json(
        "metrics.json", {"splits": rows, "mean": mean, "standard_deviation": deviation}
    )
    write_summary(
        folder.report,
        title=f"{config.data.dataset}, {len(rows)} splits",
        summary="One run per seed of the split; its page states the protocol.",
        splits=[(name, row, f"{name}/report.html") for name, row in rows.items()],
        mean=mean,
        deviation=deviation,
    )
    print(f"\nmean       {in_one_line(mean)}\ndeviation  {in_one_line(deviation)}")
    print(f"report: {folder.report}")


def _default_run_dir(dataset):
    name = pathlib.PurePath(dataset).name or "folder"
    return pathlib.Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
