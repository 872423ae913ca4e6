"""Defines the batches of crops that photographs are embedded from."""

from collections.abc import Callable

from nfl_keras.data.batches.pipeline_options import pipeline_options
from nfl_keras.data.decoding.reader import noting_reader, reader
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.inference_crops import check_crops, inference_crops
from nfl_keras.typing import Tensor


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
    read = reader(image_set, shorter_side(image_size))
    view = _view(read, image_size, crops)
    return _batches(_mapped(len(image_set), view), batch_size)


def usable_batches(
    image_set: ImageSet, image_size: int = 224, crops: int = 3, batch_size: int = 64
) -> tuple[tf.data.Dataset, dict[int, str]]:
    """Returns `inference_batches` of the photographs that can be used, with their positions.

    Args:
        image_set: `nfl.data.ImageSet`.
        image_size: int, side of the crops in pixels. Defaults to `224`.
        crops: 1 or 3, see `inference_crops`. Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.

    Returns:
        `(batches, reasons)`: a `tf.data.Dataset` of positions, int64 `[<= batch_size]`, and their
        crops, see `inference_batches`; and a dict that gets, while the dataset is read, why other
        photographs cannot be used. A photograph in neither is truncated or damaged.

    Raises:
        UserError: if `crops` is neither 1 nor 3.

    Example:

    >>> from nfl_keras.data.batches.inference_batches import usable_batches
    >>> read = nfl.data.load("blooms").read
    >>> files = [read(0), b"", read(1)]
    >>> image_set = nfl.data.ImageSet(["a", "b", "c"], [0, 0, 0], ["rose"], files.__getitem__)
    >>> batches, reasons = usable_batches(image_set, image_size=64)
    >>> [positions.numpy().tolist() for positions, _ in batches], reasons
    ([[0, 2]], {1: 'zero bytes'})
    """
    reasons: dict[int, str] = {}
    read = noting_reader(image_set, reasons, shorter_side(image_size))
    crops_of = _view(read, image_size, crops)
    views = _mapped(len(image_set), lambda position: (position, crops_of(position)))
    return _batches(views.ignore_errors(), batch_size), reasons


def shorter_side(image_size: int) -> int:
    """Returns the pixels to ask `decode` for, which may leave 15/16 of them, for crops of a size.

    They are just enough not to enlarge the photograph.
    """
    return -(-16 * image_size // 15)


def _view(
    read: Callable[[Tensor], tuple[Tensor, Tensor]], image_size: int, crops: int
) -> Callable[[Tensor], Tensor]:
    check_crops(crops)

    def view(position: Tensor) -> Tensor:
        image, orientation = read(position)
        return inference_crops(image, image_size, crops, orientation)

    return view


def _mapped(count: int, view: Callable) -> tf.data.Dataset:
    view = tf.autograph.experimental.do_not_convert(view)
    positions = tf.data.Dataset.range(count)
    return positions.map(view, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def _batches(views: tf.data.Dataset, batch_size: int) -> tf.data.Dataset:
    return views.batch(batch_size).prefetch(2).with_options(pipeline_options())
