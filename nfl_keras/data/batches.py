"""Training batches: a tf.data pipeline from an image set to augmented pixels."""

import itertools

import tensorflow as tf

from nfl_keras.data.photographs import augment, decode, inference_crops
from nfl_keras.data.sampler import BalancedSampler
from nfl_keras.errors import UserError


def balanced_batches(
    image_set,
    classes_per_batch=8,
    images_per_class=8,
    image_size=224,
    seed=0,
    max_rotation=15.0,
    small_classes="error",
    first_epoch=0,
):
    """Batches of K classes with K1 photographs each, augmented, for `model.fit`.

    Reading, decoding, resizing, cropping, rotation and mirroring all run in the tf.data
    graph, in parallel. Each pass over the dataset is the next epoch, with another plan and
    other views; plan and views depend on `seed` and the epoch's number alone.

    Args:
        image_set: `nfl.data.ImageSet`.
        classes_per_batch: int K, different classes in a batch. Defaults to `8`.
        images_per_class: int K1, different photographs of each. Defaults to `8`.
        image_size: int, side of the square views in pixels. Defaults to `224`.
        seed: int. Defaults to `0`.
        max_rotation: float, degrees either way. Defaults to `15.0`.
        small_classes: `"error"` or `"drop"`, for classes of fewer than K1 photographs.
            Defaults to `"error"`.
        first_epoch: int, the number of the first pass' epoch. Defaults to `0`.

    Returns:
        A `tf.data.Dataset` of (float32 `[K * K1, image_size, image_size, 3]` in 0..255,
        int32 `[K * K1]`), of N // (K K1) batches.

    Raises:
        UserError: if there are too few classes, or a class is too small.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> model.fit(nfl.data.balanced_batches(train, image_size=64), epochs=10)
    """
    sampler = BalancedSampler(
        image_set.labels,
        classes_per_batch,
        images_per_class,
        seed,
        image_set.class_names,
        small_classes,
    )
    epochs = itertools.count(first_epoch)

    def plan():
        epoch = next(epochs)
        for step, positions in enumerate(sampler.epoch(epoch)):
            first_seed = (epoch * sampler.batches_per_epoch + step) * sampler.batch_size
            yield positions, range(first_seed, first_seed + sampler.batch_size)

    def view(position, view_seed):
        image = augment(decode(read(position)), image_size, (seed, view_seed), max_rotation)
        return image, labels[position]

    read = reader(image_set)
    labels = tf.constant(image_set.labels)
    signature = 2 * (tf.TensorSpec((sampler.batch_size,), tf.int64),)
    return (
        tf.data.Dataset.from_generator(plan, output_signature=signature)
        .unbatch()
        .map(view, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(sampler.batch_size, drop_remainder=True)
        .apply(tf.data.experimental.assert_cardinality(sampler.batches_per_epoch))
        .prefetch(2)
    )


def inference_batches(image_set, image_size=224, crops=3, batch_size=64):
    """Every photograph once, in order, as the square crops of inference.

    Args:
        image_set: `nfl.data.ImageSet`.
        image_size: int, side of the crops in pixels. Defaults to `224`.
        crops: 1 or 3, see `inference_crops`. Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.

    Returns:
        A `tf.data.Dataset` of float32 `[<= batch_size, crops, image_size, image_size, 3]`.

    Raises:
        UserError: for another number of crops.
    """
    if crops not in (1, 3):
        raise UserError(f"crops must be 1 or 3, not {crops!r}.")
    read = reader(image_set)
    return (
        tf.data.Dataset.range(len(image_set))
        .map(
            lambda position: inference_crops(decode(read(position)), image_size, crops),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .batch(batch_size)
        .prefetch(2)
    )


def reader(image_set):
    """`image_set.read` as a graph function from a scalar int64 to a scalar string."""

    def read(position):
        encoded = tf.numpy_function(
            lambda i: image_set.read(int(i)), [position], tf.string, stateful=False
        )
        return tf.ensure_shape(encoded, ())

    return read
