"""tf.data pipelines from an image set to pixels: augmented to train on, cropped to embed."""

import itertools

import tensorflow as tf

from nfl_keras.data.balanced_sampler import BalancedSampler
from nfl_keras.data.reading import reader
from nfl_keras.data.views import augment, inference_crops, shorter_side
from nfl_keras.errors import UserError


def balanced_batches(
    image_set,
    classes_per_batch=8,
    images_per_class=8,
    image_size=224,
    seed=0,
    max_rotation=15.0,
    small_classes="error",
    recolor=None,
    first_epoch=0,
    first_batch=0,
    endless=False,
):
    """Batches of K classes with K1 photographs each, augmented, for `model.fit`.

    Reading, decoding, resizing, cropping, rotation, mirroring and recoloring all run in the
    tf.data graph, in parallel, and come out in order. Each pass over the dataset is the next
    epoch, with another plan and other views; plan and views depend on `seed`, the epoch's
    number and the batch's alone.

    Starting a pass takes TensorFlow about a second. An `endless` dataset starts once: its one
    pass holds every epoch from the first on, to be divided by `fit(steps_per_epoch=...)`.

    A run that stopped goes on, bit for bit, from the epoch and the batch that it had come to.
    Keras takes all passes of a dataset to be of one length, therefore a dataset with a
    `first_batch` is what is left of that one epoch, in every pass; the epochs after it are
    another dataset.

    Args:
        image_set: `nfl.data.ImageSet`.
        classes_per_batch: int K, different classes in a batch. Defaults to `8`.
        images_per_class: int K1, different photographs of each. Defaults to `8`.
        image_size: int, side of the square views in pixels. Defaults to `224`.
        seed: int. Defaults to `0`.
        max_rotation: float, degrees either way. Defaults to `15.0`.
        small_classes: `"error"`, `"drop"` or `"fill"`, for classes of fewer than K1
            photographs, see `nfl.data.BalancedSampler`. Defaults to `"error"`.
        recolor: function of a view, float32 `[image_size, image_size, 3]` in 0..255, and an
            int `[2]` seed to the view in other colors, in the graph. Defaults to
            `None`, colors as they are.
        first_epoch: int, the number of the first pass' epoch. Defaults to `0`.
        first_batch: int, the batch of that epoch to begin at. Defaults to `0`.
        endless: bool, whether a pass goes on with the next epochs. Defaults to `False`.

    Returns:
        A `tf.data.Dataset` of (float32 `[K * K1, image_size, image_size, 3]` in 0..255,
        int32 `[K * K1]`), of N // (K K1) batches, less `first_batch`, or without end.

    Raises:
        UserError: if there are too few classes, a class is too small, or there is no such
            batch.

    Example:

    >>> train = nfl.data.load("blooms", split="train")
    >>> model.fit(nfl.data.balanced_batches(train, image_size=64), epochs=10, shuffle=False)

    The same run, after it stopped before batch 7 of epoch 3:

    >>> rest = nfl.data.balanced_batches(train, image_size=64, first_epoch=3, first_batch=7)
    >>> model.fit(rest, initial_epoch=3, epochs=4, shuffle=False)
    >>> later = nfl.data.balanced_batches(train, image_size=64, first_epoch=4)
    >>> model.fit(later, initial_epoch=4, epochs=10, shuffle=False)
    """
    sampler = BalancedSampler(
        image_set.labels,
        classes_per_batch,
        images_per_class,
        seed,
        image_set.class_names,
        small_classes,
    )
    batches_per_epoch, batch_size = sampler.batches_per_epoch, sampler.batch_size
    if not 0 <= first_batch < batches_per_epoch:
        raise UserError(
            f"first_batch must be in 0 to {batches_per_epoch - 1}, since an epoch has "
            f"{batches_per_epoch} batches, not {first_batch}."
        )
    restarts = endless or first_batch
    numbers = itertools.repeat(first_epoch) if restarts else itertools.count(first_epoch)

    def plan():
        yield from epoch(next(numbers), first_batch)
        if endless:
            for number in itertools.count(first_epoch + 1):
                yield from epoch(number, 0)

    def epoch(number, first):
        first_of_epoch = number * batches_per_epoch
        for batch, positions in enumerate(sampler.epoch(number)[first:], first_of_epoch + first):
            yield positions, range(batch * batch_size, (batch + 1) * batch_size)

    @tf.autograph.experimental.do_not_convert
    def view(position, number):
        view_seed = tf.stack([tf.constant(seed, tf.int64), number])
        image = augment(read(position), image_size, view_seed, max_rotation)
        image = tf.ensure_shape(image, (image_size, image_size, 3))
        if recolor is not None:
            image = recolor(image, tf.random.fold_in(view_seed, 1))
        return tf.ensure_shape(image, (image_size, image_size, 3)), labels[position]

    read = reader(image_set, shorter_side(image_size))
    if recolor is not None:
        recolor = tf.function(recolor)
    labels = tf.constant(image_set.labels)
    signature = 2 * (tf.TensorSpec((batch_size,), tf.int64),)
    count = tf.data.INFINITE_CARDINALITY if endless else batches_per_epoch - first_batch
    return (
        tf.data.Dataset.from_generator(plan, output_signature=signature)
        .unbatch()
        .map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .apply(tf.data.experimental.assert_cardinality(count))
        .prefetch(2)
        .with_options(_options())
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
    # No photograph is enlarged that its file need not be: `decode` may leave 15/16 of this.
    read = reader(image_set, -(-16 * image_size // 15))

    @tf.autograph.experimental.do_not_convert
    def view(position):
        return inference_crops(read(position), image_size, crops)

    return (
        tf.data.Dataset.range(len(image_set))
        .map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size)
        .prefetch(2)
        .with_options(_options())
    )


def _options():
    # The thread that tunes a pipeline was seen to outlive it: TensorFlow 2.21 then waits for it
    # without end when an iterator is freed before its last batch. Untuned, as many photographs are
    # read at once as there are cores.
    options = tf.data.Options()
    options.autotune.enabled = False
    return options
