"""Defines retrieval of photographs of which the outputs of the frozen layers are computed once."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from nfl_keras.data import ImageSet
from nfl_keras.models import Learner
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.progress import Progress
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.retrieval.average_crops import average_crops
from nfl_keras.retrieval.predict_crops import predict_crops
from nfl_keras.training.caching.row_file import RowFile
from nfl_keras.typing import Tensor

_BATCH_SIZE = 64


class CachedCrops:
    """The crops of photographs, as the lower part of a cut network gives them.

    Args:
        folder: `pathlib.Path` of the file's folder.
        key: str, see `RowFile`.
        cut: `NetworkCut`.
        image_set: `ImageSet`.
        crops: 1 or 3, as many as are needed. The center comes first.
    """

    def __init__(
        self, folder: pathlib.Path, key: str, cut: NetworkCut, image_set: ImageSet, crops: int
    ) -> None:
        self.cut, self.image_set, self.crops = cut, image_set, crops
        shape = (len(image_set), crops, *cut.lower.output_shape[1:])
        self.file = RowFile(folder, "crops", key, np.dtype(np.float32), shape)

    def outputs(self, above: Callable[[Tensor], Tensor], crops: int) -> Iterator[np.ndarray]:
        """Yields what a function makes of the crops.

        Args:
            above: function from outputs of the lower part `[B, ...]` to `[B, C]`.
            crops: 1 or 3, at most the crops that are cached.

        Yields:
            NumPy array `[<= 64, crops, C]`, in the set's order.
        """
        rows = self.file.fill(self._rows, "photographs cached")
        starts = range(0, len(rows), _BATCH_SIZE)
        batches = (rows[first : first + _BATCH_SIZE, :crops] for first in starts)
        with Progress(len(rows), "cached photographs") as progress:
            for batch in progress.counted(batches):
                outputs = ops.convert_to_numpy(above(batch.reshape(-1, *rows.shape[2:])))
                yield outputs.reshape(-1, crops, outputs.shape[-1])

    def _rows(self, first: int) -> Iterator[np.ndarray]:
        left = self.image_set.subset(range(first, len(self.image_set)))
        size = self.cut.lower.input_shape[1]
        return predict_crops(self.cut.lower, left, size, self.crops, _BATCH_SIZE)


@dataclasses.dataclass(frozen=True)
class CachedTask(RetrievalTask):
    """A `RetrievalTask` that sends cached crops through the upper part of a cut network alone.

    An embedder of another backbone gets the photographs themselves.

    Args:
        query: `ImageSet`.
        gallery: `ImageSet`.
        cached_query: `CachedCrops` of the queries.
        cached_gallery: `CachedCrops` of the gallery.
    """

    cached_query: CachedCrops
    cached_gallery: CachedCrops
    # A function that is made anew at each call would be traced at each call.
    _traced: dict[int, Callable[[Tensor], Tensor]] = dataclasses.field(default_factory=dict)

    def embed(self, embedder: keras.Model, crops: int) -> tuple[np.ndarray, np.ndarray]:
        if not self._can_serve(embedder, crops):
            return super().embed(embedder, crops)
        above = self._above(embedder, embedder.project)
        query = average_crops(self.cached_query.outputs(above, crops), self.query)
        if self.gallery is self.query:
            return query, query
        of_crops = self.cached_gallery.outputs(above, crops)
        return query, average_crops(of_crops, self.gallery)

    def classify(self, model: Learner, crops: int) -> np.ndarray:
        if not self._can_serve(model.embedder, crops):
            return super().classify(model, crops)

        def probabilities(features: Tensor) -> Tensor:
            return ops.softmax(ops.cast(model.logits(features), "float32"))

        above = self._above(model, probabilities)
        means = [batch.mean(axis=1) for batch in self.cached_query.outputs(above, crops)]
        return np.concatenate(means)

    def _above(
        self, model: keras.Model, head: Callable[[Tensor], Tensor]
    ) -> Callable[[Tensor], Tensor]:
        cut = self.cached_query.cut

        def above(outputs: Tensor) -> Tensor:
            return head(cut.features(outputs))

        if id(model) not in self._traced:
            spec = tf.TensorSpec((None, *cut.lower.output_shape[1:]), tf.float32)
            self._traced[id(model)] = tf.function(above, input_signature=[spec])
        return self._traced[id(model)]

    def _can_serve(self, embedder: keras.Model, crops: int) -> bool:
        return self.cached_query.cut.fits(embedder) and crops <= self.cached_query.crops
