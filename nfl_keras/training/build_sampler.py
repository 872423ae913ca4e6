"""Defines how the sampler of a run is built."""

from nfl_keras.data import BalancedSampler, ImageSet
from nfl_keras.training.config import TrainConfig


def build_sampler(train: ImageSet, config: TrainConfig) -> BalancedSampler:
    """Builds the sampler that plans the batches of a run.

    Args:
        train: `ImageSet` to train on.
        config: `TrainConfig`.

    Returns:
        A `BalancedSampler`.

    Raises:
        UserError: if a class is too small, or the classes do not make a batch.
    """
    return BalancedSampler(
        train.labels,
        config.data.classes_per_batch,
        config.data.images_per_class,
        config.run.seed,
        train.class_names,
        config.data.small_classes,
    )
