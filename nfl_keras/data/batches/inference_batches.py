"""Defines the batches of crops that photographs are embedded from."""

from nfl_keras.data.batches.pipeline_options import pipeline_options
from nfl_keras.data.decoding.reader import reader
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.errors import UserError


def inference_batches(
    image_set: ImageSet, image_size: int = 224, crops: int = 3, batch_size: int = 64
) -> tf.data.Dataset:
    """Returns every photograph once, in order, as the square crops of inference.

    Args:
        image_set: `nfl.data.ImageSet`.
        image_size: int, side of the crops in pixels. Defaults to `224`.
        crops: 1 or 3, see `inference_crops`. Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.

    Returns:
        A `tf.data.Dataset` of float32 `[<= batch_size, crops, image_size, image_size, 3]` in
        0..255.

    Raises:
        UserError: if `crops` is neither 1 nor 3.

    Example:

    >>> image_set = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> [batch] = nfl.data.inference_batches(image_set, image_size=64)
    >>> batch.shape
    TensorShape([3, 3, 64, 64, 3])
    """
    if crops not in (1, 3):
        raise UserError(f"crops must be 1 or 3, not {crops!r}.")
    # `decode` may leave 15/16 of these pixels, which is still enough not to enlarge the photograph.
    read = reader(image_set, -(-16 * image_size // 15))

    @tf.autograph.experimental.do_not_convert
    def view(position: tf.Tensor) -> tf.Tensor:
        image, orientation = read(position)
        return inference_crops(image, image_size, crops, orientation)

    return (
        tf.data.Dataset.range(len(image_set))
        .map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size)
        .prefetch(2)
        .with_options(pipeline_options())
    )
