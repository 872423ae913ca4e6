"""Defines the training views of which the outputs of the frozen layers are computed once."""

import itertools
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from nfl_keras.data import BalancedSampler, ImageSet
from nfl_keras.data.batches.pipeline_options import pipeline_options
from nfl_keras.data.batches.training_view import View, training_views
from nfl_keras.models import Learner
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.training.caching.row_file import RowFile

_BATCH_SIZE = 32
# The numbers that a random generator has for one batch.
_NUMBERS = 4096


class CachedViews:
    """Views of training photographs, as the lower part of a cut network gives them.

    Row v N + i of the file is view v of photograph i of N: the outputs for the augmented view and
    for all that the recipe makes of it, and the recipe's draws. The seed and the row's number
    alone say how it is made.

    Args:
        folder: `pathlib.Path` of the file's folder.
        key: str, see `RowFile`.
        model: `Learner` whose `views_and_draws` are cached.
        cut: `NetworkCut`.
        train: `ImageSet` of N photographs.
        view: function that `training_view` returned.
        versions: int, views of each photograph.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        key: str,
        model: Learner,
        cut: NetworkCut,
        train: ImageSet,
        view: View,
        versions: int,
    ) -> None:
        self._folder, self._key = folder, key
        self._train, self._view, self.versions, self.cut = train, view, versions, cut
        layers = model._flatten_layers()
        self._generators = [g for layer in layers for g in layer._seed_generators]
        images = tf.TensorSpec((None, *cut.lower.input_shape[1:]), tf.float32)

        @tf.function(input_signature=[images])
        @tf.autograph.experimental.do_not_convert
        def lower_outputs(images: tf.Tensor) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
            views, draws = model.views_and_draws(images, training=True)
            return {n: cut.lower(v, training=False) for n, v in views.items()}, draws

        self._lower_outputs = lower_outputs
        self._outputs, self._draws = lower_outputs.get_concrete_function().structured_outputs
        self.file = self._file(np.float32)
        if not self.file.path.exists():
            self.file = self._file(np.float16)

    def _file(self, dtype: type) -> RowFile:
        fields: list[Any] = [(f"view {n}", dtype, o.shape[1:]) for n, o in self._outputs.items()]
        fields += [
            (f"draw {n}", d.dtype.as_numpy_dtype, d.shape[1:]) for n, d in self._draws.items()
        ]
        rows = self.versions * len(self._train)
        return RowFile(self._folder, "views", self._key, np.dtype(fields), (rows,))

    def compute(self) -> np.ndarray:
        """Returns the rows, and computes those that are missing.

        They are float16, or float32 if float16 cannot hold an output.
        """
        states = [np.array(generator.state) for generator in self._generators]
        try:
            with np.errstate(over="raise"):
                return self.file.fill(lambda first: self._rows(first, states), "views cached")
        except FloatingPointError:
            print("float16 cannot hold the outputs of the frozen layers: float32 is used")
            self.file.remove()
            self.file = self._file(np.float32)
            return self.file.fill(lambda first: self._rows(first, states), "views cached")
        finally:
            for generator, state in zip(self._generators, states, strict=True):
                generator.state.assign(state)

    def _rows(self, first: int, states: list[np.ndarray]) -> Iterator[np.ndarray]:
        last = self.file.shape[0]
        batches = training_views(self._train, first, last, self._view, _BATCH_SIZE)
        for number, images in enumerate(batches, first // _BATCH_SIZE):
            for generator, (seed, _) in zip(self._generators, states, strict=True):
                generator.state.assign(np.array([seed, number * _NUMBERS % 2**32], "uint32"))
            outputs, draws = self._lower_outputs(images)
            rows = np.empty(len(images), self.file.dtype)
            for name, output in outputs.items():
                rows[f"view {name}"] = tf.cast(output, tf.float32)
            for name, drawn in draws.items():
                rows[f"draw {name}"] = drawn
            yield rows

    def batches(
        self, sampler: BalancedSampler, first_epoch: int, first_batch: int
    ) -> tf.data.Dataset:
        """Returns endless batches for a `Learner` with the cut.

        A photograph shows another of its views in each epoch, until it has shown all of them.

        Args:
            sampler: `BalancedSampler` of the photographs.
            first_epoch: int.
            first_batch: int, the first batch of that epoch.

        Returns:
            A `tf.data.Dataset` of (dict, int32 `[sampler.batch_size]`), see `Learner.outputs`.
        """
        rows, count = self.compute(), len(self._train)
        offsets = np.random.default_rng(sampler.seed).integers(self.versions, size=count)

        def batches() -> Iterator[Any]:
            for epoch in itertools.count(first_epoch):
                first = first_batch if epoch == first_epoch else 0
                for positions in sampler.epoch(epoch)[first:]:
                    version = (epoch + offsets[positions]) % self.versions
                    chosen = rows[version * count + positions]
                    views = {name: chosen[f"view {name}"] for name in self._outputs}
                    draws = {name: chosen[f"draw {name}"] for name in self._draws}
                    yield {"views": views, "draws": draws}, self._train.labels[positions]

        def spec(name: str) -> tf.TensorSpec:
            field = rows.dtype[name]
            return tf.TensorSpec((sampler.batch_size, *field.shape), field.base)

        signature = {
            "views": {name: spec(f"view {name}") for name in self._outputs},
            "draws": {name: spec(f"draw {name}") for name in self._draws},
        }
        labels = tf.TensorSpec((sampler.batch_size,), self._train.labels.dtype)
        return (
            tf.data.Dataset.from_generator(batches, output_signature=(signature, labels))
            .apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
            .prefetch(2)
            .with_options(pipeline_options())
        )
