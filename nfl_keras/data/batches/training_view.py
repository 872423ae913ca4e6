"""Defines the function that reads a photograph and makes one of its training views."""

from collections.abc import Callable
from typing import TypeAlias

from nfl_keras.data.batches.pipeline_options import pipeline_options
from nfl_keras.data.decoding.reader import reader
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.augment import augment, shorter_side

Recolor: TypeAlias = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
View: TypeAlias = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def training_view(
    image_set: ImageSet,
    seed: int,
    image_size: int = 224,
    max_rotation: float = 15.0,
    recolor: Recolor | None = None,
) -> View:
    """Returns the graph function that makes a training view of a photograph.

    Args:
        image_set: `nfl.data.ImageSet`.
        seed: int, of the views.
        image_size: int, side of the square views in pixels. Defaults to `224`.
        max_rotation: float, degrees either way. Defaults to `15.0`.
        recolor: function that changes a view's colors, see `sampled_batches`. Defaults to `None`.

    Returns:
        A function from two scalar int64, the photograph's position and the number of the view, to
        the view, float32 `[image_size, image_size, 3]` in 0..255, and the photograph's label. The
        seed and the number alone say how the view is made.
    """
    read = reader(image_set, shorter_side(image_size))
    recolor_graph = None if recolor is None else tf.function(recolor)
    labels = tf.constant(image_set.labels)

    @tf.autograph.experimental.do_not_convert
    def view(position: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        view_seed = tf.stack([tf.constant(seed, tf.int64), number])
        image, orientation = read(position)
        image = augment(image, image_size, view_seed, max_rotation, orientation=orientation)
        image = tf.ensure_shape(image, (image_size, image_size, 3))
        if recolor_graph is not None:
            image = recolor_graph(image, tf.random.fold_in(view_seed, 1))
        return tf.ensure_shape(image, (image_size, image_size, 3)), labels[position]

    return view


def training_views(
    image_set: ImageSet, first: int, last: int, view: View, batch_size: int = 32
) -> tf.data.Dataset:
    """Returns batches of numbered views of all photographs, in order.

    Args:
        image_set: `nfl.data.ImageSet` of N photographs.
        first: int, number of the first view. View number n is of photograph n % N.
        last: int, number of the view after the last.
        view: function that `training_view` returned.
        batch_size: int. Defaults to `32`.

    Returns:
        A `tf.data.Dataset` of float32 `[<= batch_size, image_size, image_size, 3]` in 0..255.
    """
    return (
        tf.data.Dataset.range(first, last)
        .map(
            lambda number: view(number % len(image_set), number)[0],
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .batch(batch_size)
        .prefetch(2)
        .with_options(pipeline_options())
    )
