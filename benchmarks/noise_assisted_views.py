"""The outputs of a backbone's frozen blocks for photographs and their views, kept in files."""

import functools
import itertools
import os
import time

import keras
import numpy as np
import tensorflow as tf

from nfl_keras.data import BalancedSampler, inference_batches
from nfl_keras.data.decoding.reader import reader
from nfl_keras.data.views.augment import augment, shorter_side
from nfl_keras.layers import GaussianInputNoise, RandomView, WindowShuffle
from nfl_keras.models import Embedder, freeze_batch_norm, freeze_through
from nfl_keras.models.pretext import make_pretext_task
from nfl_keras.training.build_recolor import build_recolor

WINDOWS = (2, 4, 8, 16)
TASKS = ("rotation", "exemplar", "jigsaw")
# The views along axis 1 of a file.
VIEWS = ("clean", "other", "gaussian", *(f"shuffle {window}" for window in WINDOWS), *TASKS)
BATCH_SIZE = 32


class FrozenPart:
    """The backbone of a `TrainConfig`, cut after its last frozen block.

    Args:
        config: `TrainConfig` with `freeze_through`.
        folder: `pathlib.Path` of the files. Existing files are read, not written again.
    """

    def __init__(self, config, folder):
        network = config.embedder
        whole = Embedder(
            network.backbone, None, network.image_size, network.pixel_scale, network.pixel_offset
        )
        freeze_through(whole.backbone, network.freeze_through)
        if network.freeze_batch_norm:
            freeze_batch_norm(whole.backbone)
        frozen = [n for n in whole.backbone.layers if n.name.startswith(network.freeze_through)]
        cut = frozen[-1].output
        pixels = keras.layers.Rescaling(whole.pixel_scale, whole.pixel_offset)
        lower = keras.Model(whole.backbone.input, cut)
        self.lower = keras.Sequential([pixels, lower])
        self.upper = keras.Model(cut, whole.backbone.output)
        self.config, self.folder = config, folder
        folder.mkdir(parents=True, exist_ok=True)

    def crops(self, name, image_set):
        """Returns the outputs for the crops of inference.

        Returns:
            float16 `[N, crops, h, w, C]`, a memory map.
        """
        crops = self.config.evaluation.crops
        return self._kept(f"{name}-{crops}", functools.partial(self._crops, image_set, crops))

    def views(self, image_set, version):
        """Returns the outputs for every view of an augmented version of each photograph.

        Args:
            image_set: `ImageSet`.
            version: int, the seed of all random draws.

        Returns:
            float16 `[N, len(VIEWS), h, w, C]`, a memory map.
        """
        return self._kept(f"views-{version}", functools.partial(self._views, image_set, version))

    def _kept(self, name, batches):
        path = self.folder / f"{name}.npy"
        if not path.exists():
            start = time.perf_counter()
            array = np.concatenate(list(batches()))
            partial = path.with_name(f"partial-{path.name}")
            np.save(partial, array)
            os.replace(partial, path)
            seconds = time.perf_counter() - start
            print(f"{path}: {'x'.join(map(str, array.shape))}, {seconds:.0f} s", flush=True)
        return np.load(path, mmap_mode="r")

    def _crops(self, image_set, crops):
        for batch in inference_batches(
            image_set, self.config.embedder.image_size, crops, BATCH_SIZE
        ):
            of_crops = self._lower(tf.reshape(batch, (-1, *batch.shape[2:])))
            yield of_crops.reshape(-1, crops, *of_crops.shape[1:])

    def _views(self, image_set, version):
        noises = {
            "other": RandomView(seed=version),
            "gaussian": GaussianInputNoise(
                255.0 * self.config.recipe.settings["noise_stddev"], version
            ),
            **{f"shuffle {window}": WindowShuffle(window, version) for window in WINDOWS},
        }
        drawn = {name: _draws(name, len(image_set), version) for name in TASKS}
        first = 0
        for images in _augmented(image_set, self.config, version).batch(BATCH_SIZE).prefetch(2):
            views = {"clean": images}
            for name, noise in noises.items():
                views[name] = noise(images, training=True)
            for name in TASKS:
                of_batch = drawn[name][first : first + len(images)]
                views[name] = make_pretext_task(name).render(images, of_batch)
            first += len(images)
            yield np.stack([self._lower(views[name]) for name in VIEWS], axis=1)

    def _lower(self, images):
        return self.lower.predict_on_batch(images).astype("float16")


class TrainingViews:
    """Batches of cached views.

    Args:
        frozen: `FrozenPart`.
        dataset: `nfl_keras.data.Dataset`.
        train: `ImageSet` to train on: the training split or a part of it.
        config: `TrainConfig`.
        versions: int, augmented versions of each photograph.
    """

    def __init__(self, frozen, dataset, train, config, versions):
        # Files are of the whole training split, so that runs with a held-out part share them.
        whole = dataset.split("train", config.data.protocol, config.data.split_seeds[0])
        self.labels = train.labels
        self.rows = np.flatnonzero(np.isin(whole.ids, train.ids))
        self.views = [frozen.views(whole, version) for version in range(versions)]
        self.draws = {
            task: np.stack([_draws(task, len(whole), version) for version in range(versions)])
            for task in TASKS
        }
        self.classes, self.images = config.data.classes_per_batch, config.data.images_per_class

    def sampler(self, seed):
        return BalancedSampler(self.labels, self.classes, self.images, seed)

    def batches(self, names, task, seed):
        """Yields batches endlessly.

        Args:
            names: sequence of str V, of `VIEWS`.
            task: str, the pretext task, or `None`.
            seed: int, seed of the batches and of the order of the versions.

        Yields:
            `(views, labels)`: float16 `[B, V, h, w, C]`, and int32 `[B, 2]` with the class and
            the pretext task's draw, or 0 without one.
        """
        columns, sampler = [VIEWS.index(name) for name in names], self.sampler(seed)
        for epoch in itertools.count():
            rng = np.random.default_rng([seed, epoch])
            versions = rng.integers(len(self.views), size=len(self.labels))
            for positions in sampler.epoch(epoch):
                rows, chosen = self.rows[positions], versions[positions]
                places = list(zip(chosen, rows, strict=True))
                views = np.stack([self.views[version][row, columns] for version, row in places])
                drawn = np.zeros_like(rows)
                if task is not None and self.draws[task].ndim == 2:
                    drawn = self.draws[task][chosen, rows]
                yield views, np.stack([self.labels[positions], drawn], axis=1).astype("int32")


def _draws(task, count, version):
    """Returns a pretext task's draws for `count` photographs, `[count, ...]`."""
    return make_pretext_task(task, version).draw_for(tf.zeros((count, 1)), training=True)


def _augmented(image_set, config, version):
    """Returns a dataset of each photograph once, augmented as in `balanced_batches`."""
    size = config.embedder.image_size
    read, (recolor, _) = reader(image_set, shorter_side(size)), build_recolor(config)

    def view(position):
        seed = tf.stack([tf.constant(version, tf.int64), position])
        image = augment(read(position), size, seed, config.data.max_rotation)
        image = tf.ensure_shape(image, (size, size, 3))
        return image if recolor is None else recolor(image, tf.random.fold_in(seed, 1))

    return tf.data.Dataset.range(len(image_set)).map(
        view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
