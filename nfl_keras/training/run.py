"""Defines a run: what its parts share."""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from nfl_keras.data import Dataset
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.termination import Termination


@dataclasses.dataclass(frozen=True)
class Run:
    """A run over one split or several, as all of its parts see it.

    Args:
        config: `TrainConfig`.
        folder: `RunFolder` that this process writes to.
        dataset: `Dataset` without the photographs that cannot be decoded.
        bad_images: mapping from the ids of those photographs to the reasons.
        strategy: `tf.distribute.Strategy` that trains.
        termination: `Termination`.
        resumes: bool, whether the run was stopped and resumes. Defaults to `False`.
    """

    config: TrainConfig
    folder: RunFolder
    dataset: Dataset
    bad_images: Mapping[str, str]
    strategy: tf.distribute.Strategy
    termination: Termination
    resumes: bool = False

    def of_each_split(self) -> dict[int, "Run"]:
        """Returns the runs over the single splits, by split seed.

        A run over one split is its own. Each of several splits has its own folder.
        """
        seeds = self.config.data.split_seeds
        if len(seeds) == 1:
            return {seeds[0]: self}
        return {
            seed: dataclasses.replace(
                self,
                config=self.config.replace(split_seeds=[seed]),
                folder=self.folder.split(seed),
            )
            for seed in seeds
        }
