"""Defines the batches of augmented views that models train on."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from nfl_keras.data.batches.balanced_sampler import BalancedSampler, SmallClasses
from nfl_keras.data.batches.pipeline_options import pipeline_options
from nfl_keras.data.batches.training_view import Recolor, training_view
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.errors import UserError

# Positions in the image set, and the numbers of the views that the run shows.
Batch: TypeAlias = tuple[np.ndarray, range]


def balanced_batches(
    image_set: ImageSet,
    classes_per_batch: int = 8,
    images_per_class: int = 8,
    image_size: int = 224,
    seed: int = 0,
    max_rotation: float = 15.0,
    small_classes: SmallClasses = "error",
    recolor: Recolor | None = None,
    first_epoch: int = 0,
    first_batch: int = 0,
    endless: bool = False,
    categories: Sequence[str] | None = None,
) -> tf.data.Dataset:
    """Returns augmented batches of K classes with K1 photographs each, for `model.fit`.

    It makes a `BalancedSampler` and calls `sampled_batches`, which says how to resume a run.

    Args:
        image_set: `nfl.data.ImageSet`.
        classes_per_batch: int K, different classes in a batch. Defaults to `8`.
        images_per_class: int K1, different photographs of each class. Defaults to `8`.
        image_size: int, side of the square views in pixels. Defaults to `224`.
        seed: int, of the plan and of the views. Defaults to `0`.
        max_rotation: float, degrees either way. Defaults to `15.0`.
        small_classes: `"error"`, `"drop"` or `"fill"`, for classes of fewer than K1
            photographs, see `nfl.data.BalancedSampler`. Defaults to `"error"`.
        recolor: function that changes colors, see `sampled_batches`. Defaults to `None`.
        first_epoch: int, the number of the first pass' epoch. Defaults to `0`.
        first_batch: int, the first batch of that epoch. Defaults to `0`.
        endless: bool, whether one pass holds all epochs. Defaults to `False`.
        categories: sequence of str, such as `image_set.categories`, if the classes of a batch are
            to be of one super-category, see `nfl.data.BalancedSampler`. Defaults to `None`.

    Returns:
        A `tf.data.Dataset` of (float32 `[K * K1, image_size, image_size, 3]` in 0..255,
        int32 `[K * K1]`), see `sampled_batches`.

    Raises:
        UserError: if there are too few classes, a class is too small, or the epoch has no
            batch `first_batch`.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> batches = nfl.data.balanced_batches(train, 4, 2, image_size=32)
    >>> images, labels = next(iter(batches))
    >>> images.shape, len(set(labels.numpy().tolist()))
    (TensorShape([8, 32, 32, 3]), 4)
    """
    sampler = BalancedSampler(
        image_set.labels,
        classes_per_batch,
        images_per_class,
        seed,
        image_set.class_names,
        small_classes,
        categories,
    )
    return sampled_batches(
        image_set, sampler, image_size, max_rotation, recolor, first_epoch, first_batch, endless
    )


def sampled_batches(
    image_set: ImageSet,
    sampler: BalancedSampler,
    image_size: int = 224,
    max_rotation: float = 15.0,
    recolor: Recolor | None = None,
    first_epoch: int = 0,
    first_batch: int = 0,
    endless: bool = False,
) -> tf.data.Dataset:
    """Returns augmented batches of the photographs that a sampler plans.

    The tf.data graph reads, decodes, resizes, crops, rotates, mirrors and recolors in parallel
    and keeps the sampler's order. Each pass over the dataset is the next epoch, with another
    plan and other views. Plan and views depend only on the sampler's seed, the epoch's number
    and the batch's number, so that a run resumes bit for bit from an epoch and a batch.

    Keras expects all passes of a dataset to have one length. A dataset with a `first_batch`
    therefore repeats the rest of `first_epoch` in every pass: make another dataset for the
    epochs after it. TensorFlow takes about a second to start a pass. An `endless` dataset starts
    once: its one pass holds every epoch, and `fit(steps_per_epoch=...)` divides it.

    Args:
        image_set: `nfl.data.ImageSet`.
        sampler: `nfl.data.BalancedSampler` of `image_set.labels`. Its seed is the views', too.
        image_size: int, side of the square views in pixels. Defaults to `224`.
        max_rotation: float, degrees either way. Defaults to `15.0`.
        recolor: function that changes a view's colors in the graph. It takes the view, float32
            `[image_size, image_size, 3]` in 0..255, and an int `[2]` seed, and returns the
            view in other colors. Defaults to `None`: the colors stay.
        first_epoch: int, the number of the first pass' epoch. Defaults to `0`.
        first_batch: int, the first batch of that epoch. Defaults to `0`.
        endless: bool, whether one pass holds all epochs. Defaults to `False`.

    Returns:
        A `tf.data.Dataset` of (float32 `[sampler.batch_size, image_size, image_size, 3]` in
        0..255, int32 `[sampler.batch_size]`), with `sampler.batches_per_epoch - first_batch`
        batches, or infinitely many where `endless`.

    Raises:
        UserError: if the epoch has no batch `first_batch`.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> sampler = nfl.data.BalancedSampler(train.labels, classes_per_batch=4, images_per_class=2)
    >>> len(nfl.data.sampled_batches(train, sampler, image_size=32))
    120

    A run that stopped before batch 7 of epoch 3 resumes with the rest of that epoch:

    >>> rest = nfl.data.sampled_batches(train, sampler, 32, first_epoch=3, first_batch=7)
    >>> len(rest)
    113
    """
    batches_per_epoch, batch_size = sampler.batches_per_epoch, sampler.batch_size
    if not 0 <= first_batch < batches_per_epoch:
        raise UserError(
            f"first_batch must be in 0 to {batches_per_epoch - 1}, since an epoch has "
            f"{batches_per_epoch} batches, not {first_batch}."
        )
    restarts = endless or first_batch
    numbers = itertools.repeat(first_epoch) if restarts else itertools.count(first_epoch)

    def plan() -> Iterator[Batch]:
        yield from epoch(next(numbers), first_batch)
        if endless:
            for number in itertools.count(first_epoch + 1):
                yield from epoch(number, 0)

    def epoch(number: int, first: int) -> Iterator[Batch]:
        first_of_epoch = number * batches_per_epoch
        for batch, positions in enumerate(sampler.epoch(number)[first:], first_of_epoch + first):
            yield positions, range(batch * batch_size, (batch + 1) * batch_size)

    view = training_view(image_set, sampler.seed, image_size, max_rotation, recolor)
    signature = 2 * (tf.TensorSpec((batch_size,), tf.int64),)
    count = tf.data.INFINITE_CARDINALITY if endless else batches_per_epoch - first_batch
    return (
        tf.data.Dataset.from_generator(plan, output_signature=signature)
        .unbatch()
        .map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .apply(tf.data.experimental.assert_cardinality(count))
        .prefetch(2)
        .with_options(pipeline_options())
    )
