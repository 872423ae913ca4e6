"""Defines the square crops of a photograph that are embedded."""

from nfl_keras.data.decoding.decode import as_stored, exchanged, upright
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.resize_shorter_side import resize_shorter_side, resized_extent
from nfl_keras.typing import Tensor

# Of a photograph that is longer, as a multiple of its shorter side, only the crops are resized.
_LONGEST = 4


def inference_crops(
    image: Tensor, size: int, crops: int = 3, orientation: int | Tensor = 1
) -> tf.Tensor:
    """Cuts the square crops whose embeddings are averaged for a photograph.

    Args:
        image: `[H, W, 3]`, pixels in 0..255, as they are stored. Of whatever shape, up to 100
            million pixels take less than 100 MiB more for a `size` of up to 384.
        size: int, pixels. The shorter side is resized to it, and the crops have this side.
        crops: 1, the center, or 3, the center and the two ends of the longer side.
            Defaults to `3`.
        orientation: int scalar, of EXIF, 1 to 8. Defaults to `1`.

    Returns:
        float32 `[crops, size, size, 3]`, in 0..255, upright.

    Example:

    >>> from nfl_keras.data.views.inference_crops import inference_crops
    >>> inference_crops(tf.zeros((30, 60, 3)), size=20).shape
    TensorShape([3, 20, 20, 3])

    Reference: [NIFL], inference protocol, doi 10.1038/s41598-025-97528-9.
    """
    image, orientation = tf.convert_to_tensor(image), tf.convert_to_tensor(orientation)
    extent = tf.shape(image, out_type=tf.int64)[:2]
    room = exchanged(resized_extent(extent, size) - size, orientation)
    starts = tf.stack([room // 2] if crops == 1 else [room // 2, tf.zeros_like(room), room])
    starts = as_stored(starts, room, orientation)

    def of_whole() -> tf.Tensor:
        resized = resize_shorter_side(image, size)
        return tf.stack(
            [resized[y : y + size, x : x + size] for y, x in map(tf.unstack, tf.unstack(starts))]
        )

    def of_parts() -> tf.Tensor:
        # One after the other, since together they would hold three copies of their parts.
        signature = tf.TensorSpec((None, None, 3))
        return tf.map_fn(
            lambda start: _crop(image, size, start),
            starts,
            parallel_iterations=1,
            fn_output_signature=signature,
        )

    is_long = tf.reduce_max(extent) > _LONGEST * tf.reduce_min(extent)
    squares = tf.cond(is_long, of_parts, of_whole)
    squares = tf.cond(orientation > 1, lambda: upright(squares, orientation), lambda: squares)
    return tf.ensure_shape(squares, (crops, size, size, 3))


def _crop(image: tf.Tensor, size: int, start: tf.Tensor) -> tf.Tensor:
    """Makes the crop that begins at `start` (y, x) of the resized photograph, from its part."""
    extent = tf.shape(image, out_type=tf.int64)[:2]
    scale = tf.cast(resized_extent(extent, size) / extent, tf.float64)
    # The antialiasing filter sees this many pixels either way.
    reach = tf.maximum(1 / scale, 1.0)
    first, last = (
        tf.cast(start, tf.float64) / scale - reach,
        tf.cast(start + size, tf.float64) / scale + reach,
    )
    first = tf.maximum(tf.cast(tf.floor(first), tf.int64), 0)
    last = tf.minimum(tf.cast(tf.math.ceil(last), tf.int64), extent)
    part = image[first[0] : last[0], first[1] : last[1]]
    shift = tf.cast(first, tf.float64) * scale - tf.cast(start, tf.float64)
    return tf.raw_ops.ScaleAndTranslate(
        images=part[None],
        size=(size, size),
        scale=tf.cast(scale, tf.float32),
        translation=tf.cast(shift, tf.float32),
        kernel_type="triangle",
        antialias=True,
    )[0]
