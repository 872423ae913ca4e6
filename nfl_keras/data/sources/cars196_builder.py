"""Defines the builder by which TensorFlow Datasets (TFDS) prepares Cars-196 from a folder."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.cars196 import WHEREABOUTS, cars196


class StanfordCars196(tfds.core.GeneratorBasedBuilder):
    r"""A builder of Stanford Cars-196: 196 models of cars, in a training and a test half.

    TFDS' own `cars196` cannot be downloaded since 2023. This builder reads the files of the manual
    folder, in any layout that `nfl_keras.data.sources.cars196` reads, and keeps each file's bytes.
    Class names come from `cars_meta.mat` in that folder.

    Example:

    ```sh
    tfds build stanford_cars196 --imports nfl_keras.data.sources.cars196_builder \
        --manual_dir CARS --data_dir DATASETS --file_format=array_record
    ```
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "From a manual folder."}  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"Expected in manual_dir:\n{WHEREABOUTS.tree}"

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description="Photographs of 196 models of cars, by make, model and year.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(),
                    "label": tfds.features.ClassLabel(),
                    "id": tfds.features.Text(),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
            citation=(
                "Krause, Stark, Deng, Fei-Fei. 3D Object Representations for Fine-Grained "
                "Categorization. 3dRR, 2013."
            ),
        )

    def _split_generators(
        self, dl_manager: tfds.download.DownloadManager
    ) -> dict[str, Iterator[tuple[str, dict[str, Any]]]]:
        whole = cars196(dl_manager.manual_dir)
        self.info.features["label"].names = list(whole.class_names)
        return {
            split: self._generate_examples(whole, np.flatnonzero(whole.own_split == split))
            for split in ("train", "test")
        }

    def _generate_examples(
        self, whole: ImageSet, positions: np.ndarray
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for position in positions.tolist():
            name = str(whole.ids[position])
            yield (
                name,
                {
                    "image": io.BytesIO(whole.read(position)),
                    "label": int(whole.labels[position]),
                    "id": name,
                },
            )
