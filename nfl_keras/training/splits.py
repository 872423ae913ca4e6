"""What a run trains on, and what it is measured on."""

import dataclasses

from nfl_keras.data import ImageSet, hold_out_classes, hold_out_validation
from nfl_keras.retrieval import RetrievalTask


@dataclasses.dataclass(frozen=True)
class Splits:
    """One split of a dataset, as a run uses it.

    Args:
        train: `ImageSet`.
        watched: `RetrievalTask` that epochs are measured on.
        final: `RetrievalTask` that the run's figures are measured on; `watched` itself where
            nothing is held out, or where the test photographs are left alone.
    """

    train: ImageSet
    watched: RetrievalTask
    final: RetrievalTask

    @classmethod
    def of(cls, dataset, config):
        """The splits of a `Dataset` for a `TrainConfig` with one split seed.

        Raises:
            UserError: if the dataset cannot be split so, or no query has anything to find.
        """
        (seed,) = config.data.split_seeds
        train = dataset.split("train", config.data.protocol, seed)
        if config.evaluation.validation_classes:
            train, held_out = hold_out_classes(train, config.evaluation.validation_classes, seed)
        elif config.evaluation.evaluate_on == "validation":
            protocol = config.data.protocol or dataset.protocol
            train, held_out = hold_out_validation(train, protocol, seed)
        else:
            held_out = None
        validation = held_out and RetrievalTask(held_out, held_out)
        if config.evaluation.evaluate_on == "validation":
            return cls(train, validation, validation)
        test = RetrievalTask(
            *(dataset.split(s, config.data.protocol, seed) for s in ("query", "gallery"))
        )
        return cls(train, validation or test, test)
