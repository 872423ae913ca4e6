"""Defines what of a split is computed once, where its lower layers are frozen."""

import dataclasses
import json
import pathlib
import shutil
from typing import Any

import numpy as np
import tensorflow as tf

from nfl_keras.data import ImageSet
from nfl_keras.data.batches.training_view import Recolor, training_view
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.models import Embedder, Learner
from nfl_keras.models.network_cut import NetworkCut
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.training.caching.cache_keys import key_of_lower, settings_of_views
from nfl_keras.training.caching.cached_task import CachedCrops, CachedTask
from nfl_keras.training.caching.cached_views import CachedViews
from nfl_keras.training.caching.row_file import RowFile
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.splits import Splits


class SplitCache:
    """The outputs of a model's frozen layers for the photographs of a split, in files of a folder.

    They are computed when they are first needed. Runs with one `cache_dir` share each file whose
    rows they would all compute alike, see `view_settings` of a `Learner`. Those of evaluation,
    for example, depend on neither recipe nor seed.

    Args:
        folder: `pathlib.Path`, unless the config has a `cache_dir`. It is made when the first
            file is.
        config: `TrainConfig`, with `cache_views` above 0.
        model: `Learner`. Its `cut` is set.
        splits: `Splits`.
        recolor: function that changes the colors of training views, or `None`.

    Attributes:
        views: `CachedViews` of the photographs to train on.
        splits: `Splits` with tasks that take cached outputs.

    Raises:
        UserError: if the network cannot be cut, the recipe makes its views in a way that cannot be
            cached, or the disk lacks room.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        config: TrainConfig,
        model: Learner,
        splits: Splits,
        recolor: Recolor | None,
    ) -> None:
        if type(model).outputs is not Learner.outputs:
            raise UserError(
                f"the views of the recipe {config.recipe.name} cannot be cached, since it has its "
                f"own outputs(); let it define views() or views_and_draws(), or leave out "
                f"cache_views."
            )
        self._cut = model.cut = NetworkCut.of(model.embedder)
        self._lower = key_of_lower(config, self._cut)
        shared = config.data.cache_dir
        self._is_shared = shared is not None
        self.folder = folder if shared is None else local_path(shared)
        size, versions = config.embedder.image_size, config.data.cache_views
        view = training_view(splits.train, config.run.seed, size, config.data.max_rotation, recolor)
        key = self._key_of(splits.train, settings_of_views(config))
        self.views = CachedViews(self.folder, key, model, self._cut, splits.train, view, versions)
        self._crops: list[CachedCrops] = []
        crops = config.evaluation.crops
        final = self._cached(splits.final, crops)
        watched = final
        if splits.watched is not splits.final:
            watched = self._cached(splits.watched, crops)
        self.splits = dataclasses.replace(splits, watched=watched, final=final)
        self._check_room()

    def pooled_features(self, embedder: Embedder, image_set: ImageSet) -> np.ndarray:
        """Computes what `nfl.retrieval.pooled_features` does, of outputs that are kept, too."""
        above = tf.function(self._cut.features, reduce_retracing=True)
        batches = self._cached_crops(image_set, 1).outputs(above, 1)
        return np.concatenate([of_crops[:, 0] for of_crops in batches]).astype(np.float32)

    def _cached(self, task: RetrievalTask, crops: int) -> CachedTask:
        query = self._cached_crops(task.query, crops)
        gallery = query
        if task.gallery is not task.query:
            gallery = self._cached_crops(task.gallery, crops)
        return CachedTask(task.query, task.gallery, query, gallery, ks=task.ks)

    def _cached_crops(self, image_set: ImageSet, crops: int) -> CachedCrops:
        key = self._key_of(image_set)
        cached = CachedCrops(self.folder, key, self._cut, image_set, crops)
        self._crops.append(cached)
        return cached

    def _key_of(self, image_set: ImageSet, of_views: Any = None) -> str:
        return json.dumps([self._lower, image_set.ids.tolist(), of_views], default=str)

    def _check_room(self) -> None:
        there = next(
            path for path in (self.folder, *self.folder.absolute().parents) if path.exists()
        )
        needed = sum(file.bytes_missing for file in self._files())
        free = shutil.disk_usage(there).free
        if needed > free:
            raise UserError(
                f"cached views need {needed / 1e6:,.0f} MB, and the disk of {str(self.folder)!r} "
                f"has {free / 1e6:,.0f} MB left; make room, lower cache_views (now "
                f"{self.views.versions}), or name another "
                f"{'--cache-dir' if self._is_shared else '--run-dir'}."
            )

    def _files(self) -> list[RowFile]:
        files = [self.views.file, *(crops.file for crops in self._crops)]
        return list({file.path: file for file in files}.values())

    @property
    def description(self) -> str:
        """str, what is cached, and how large it is."""
        shape = " x ".join(map(str, self._cut.lower.output_shape[1:]))
        size = sum(file.bytes for file in self._files()) / 1e6
        return (
            f"cached views: {self.views.versions} of each photograph, with the noise of each, as "
            f"the outputs ({shape}) of the frozen layers up to {self._cut.last!r}; {size:,.0f} MB"
        )

    @property
    def note(self) -> str:
        """str, a sentence for the report."""
        seconds = sum(file.seconds for file in self._files())
        end = f"kept in {str(self.folder)!r}" if self._is_shared else "removed at the end"
        return (
            f"{self.description[0].upper()}{self.description[1:]}, computed once in "
            f"{seconds:.0f} s and {end}."
        )

    def remove(self) -> None:
        """Removes the files, unless other runs may use them."""
        if not self._is_shared:
            shutil.rmtree(self.folder, ignore_errors=True)
