"""Defines what a run trains on, and what it is measured on."""

import dataclasses

from nfl_keras.data import (
    Dataset,
    ImageSet,
    hold_out_classes,
    hold_out_pairs,
    hold_out_validation,
)
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.training.config import TrainConfig


@dataclasses.dataclass(frozen=True)
class Splits:
    """One split of a dataset, as a run uses it.

    Args:
        train: `ImageSet`.
        watched: `RetrievalTask` that epochs are measured on.
        final: `RetrievalTask` that the run's figures are measured on. It is `watched` itself if
            nothing is held out, or if the run leaves the test photographs alone, or if it trains
            on them.
    """

    train: ImageSet
    watched: RetrievalTask
    final: RetrievalTask

    @classmethod
    def of(cls, dataset: Dataset, config: TrainConfig) -> "Splits":
        """Splits a dataset as a config with one split seed says.

        Args:
            dataset: `Dataset`.
            config: `TrainConfig`.

        Returns:
            The `Splits`.

        Raises:
            UserError: if the dataset cannot be split so, or no query has anything to find.
        """
        (seed,) = config.data.split_seeds
        if config.data.train_on == "all":
            return cls._of_all(dataset, config, seed)
        train = dataset.split("train", config.data.protocol, seed)
        held_out = None
        if config.evaluation.validation_classes:
            train, held_out = hold_out_classes(train, config.evaluation.validation_classes, seed)
        elif config.evaluation.evaluate_on == "validation" or config.evaluation.blend == "auto":
            protocol = config.data.protocol or dataset.protocol
            if dataset.has_validation(protocol):
                held_out = dataset.split("validation", protocol, seed)
            else:
                train, held_out = hold_out_validation(train, protocol, seed)
        ks = config.evaluation.ks
        validation = None if held_out is None else RetrievalTask(held_out, held_out, ks=ks)
        if validation is not None and config.evaluation.evaluate_on == "validation":
            return cls(train, validation, validation)
        test = RetrievalTask(
            *(dataset.split(s, config.data.protocol, seed) for s in ("query", "gallery")), ks=ks
        )
        return cls(train, validation or test, test)

    @classmethod
    def _of_all(cls, dataset: Dataset, config: TrainConfig, seed: int) -> "Splits":
        """Holds out of all photographs what is watched."""
        data, whole = config.data, dataset.split("all")
        plain = dataclasses.replace(whole, description="")
        if config.evaluation.validation_classes:
            train, held_out = hold_out_classes(plain, config.evaluation.validation_classes, seed)
        else:
            # A class that fills its part of a batch keeps that many photographs.
            keep = 2 if data.small_classes == "fill" else data.images_per_class
            train, held_out = hold_out_pairs(plain, keep, seed=seed)
        words = (
            "trained on all photographs: what was held out to watch is no test; "
            f"{held_out.description}; {whole.description}"
        )
        held_out = dataclasses.replace(held_out, description=words)
        watched = RetrievalTask(held_out, held_out, ks=config.evaluation.ks)
        return cls(train, watched, watched)
