"""Defines how the sampler of a run is built."""

from nfl_keras.data import BalancedSampler, ImageSet
from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig


def build_sampler(train: ImageSet, config: TrainConfig) -> BalancedSampler:
    """Builds the sampler that plans the batches of a run.

    Args:
        train: `ImageSet` to train on.
        config: `TrainConfig`.

    Returns:
        A `BalancedSampler`.

    Raises:
        UserError: if a class is too small, the classes do not make a batch, or they have no
            super-categories and the batches are to have one.
    """
    categories = None
    if config.data.batch_categories == "single":
        categories = train.categories
        if categories is None:
            raise UserError(
                f"batch_categories single needs super-categories of the classes, which "
                f"{config.data.dataset!r} does not have; give batch_categories mixed."
            )
    return BalancedSampler(
        train.labels,
        config.data.classes_per_batch,
        config.data.images_per_class,
        config.run.seed,
        train.class_names,
        config.data.small_classes,
        categories,
    )
