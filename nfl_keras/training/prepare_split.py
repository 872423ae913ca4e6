"""Defines what a run makes before it trains on a split."""

import dataclasses

import keras

from nfl_keras.data import BalancedSampler
from nfl_keras.distribution.describe_strategy import describe_strategy
from nfl_keras.models import Learner
from nfl_keras.models.lora import lora_layers
from nfl_keras.training.build_model import build_model, compile_model
from nfl_keras.training.build_recolor import Recolor, build_recolor
from nfl_keras.training.build_sampler import build_sampler
from nfl_keras.training.caching.split_cache import SplitCache
from nfl_keras.training.run import Run
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.splits import Splits


@dataclasses.dataclass(frozen=True)
class PreparedSplit:
    """A split that is ready to be trained on.

    Args:
        run: `Run` over this split alone.
        splits: `Splits`.
        sampler: `BalancedSampler` of `splits.train`.
        model: compiled `Learner` whose optimizer is built.
        recolor: function that changes the colors of training views, or `None`.
        cache: `SplitCache`, or `None` if each view goes through the whole network.
        colors: str, what `recolor` does, for logs.
        devices: str, what the run trains on, for logs.
    """

    run: Run
    splits: Splits
    sampler: BalancedSampler
    model: Learner
    recolor: Recolor | None
    cache: SplitCache | None
    colors: str
    devices: str


def prepare_split(run: Run) -> PreparedSplit:
    """Splits the dataset, builds sampler and model, and makes the folder of a new run.

    Args:
        run: `Run` over one split.

    Returns:
        A `PreparedSplit`.

    Raises:
        UserError: if the data, the backbone or the folder cannot be used. Then nothing is
            written.
    """
    config = run.config
    keras.utils.set_random_seed(config.run.seed)
    splits = Splits.of(run.dataset, config)
    recolor, colors = build_recolor(config)
    sampler = build_sampler(splits.train, config)
    with run.strategy.scope():
        model = build_model(config, splits.train.classes.tolist())
        compile_model(model, config, sampler.batches_per_epoch)
        model.optimizer.build(model.trainable_variables)
    cache = None
    if config.data.cache_views:
        cache = SplitCache(run.folder.cached_views, config, model, splits, recolor)
        splits = cache.splits
    if not (run.resumes and run.folder.exists):
        RunFolder.create(run.folder.path, config, run.bad_images)
    devices = f"training {describe_strategy(run.strategy)}"
    print(splits.final.description)
    if splits.watched is not splits.final:
        print(f"epochs measured on: {splits.watched.description}")
    print(colors)
    print(devices)
    if config.embedder.lora:
        count = len(lora_layers(model))
        print(f"lora: updates of rank {config.embedder.lora} of the kernels of {count} layers")
    if cache is not None:
        print(cache.description)
    return PreparedSplit(run, splits, sampler, model, recolor, cache, colors, devices)
