"""Defines the square crops of a photograph that are embedded."""

from typing import NamedTuple

from nfl_keras.data.decoding.decode import as_stored, exchanged, mirrored
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.resize_shorter_side import resized_extent
from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# Of a photograph that is longer, as a multiple of its shorter side, only the crops are resized.
_LONGEST = 4


class CropPlan(NamedTuple):
    """How `cut_crops` makes the crops of a photograph, of which it needs to know the extent alone.

    A photograph is resized whole, and the crops are cut from that. Of a long one each crop is
    resized from the part that it shows.

    Args:
        is_long: bool scalar.
        begins: int32 `[crops, 3]`, where each part begins. The first one is the whole, and the
            others are one pixel, unless the photograph is long.
        extents: int32 `[crops, 3]`, of the parts.
        resized: int32 `[crops, 2]`, the extents to which the parts are resized.
        scale: float32 `[2]`.
        shifts: float32 `[crops, 2]`, in pixels of the resized parts.
        starts: int32 `[crops, 3]`, where the crops begin in the resized whole.
        axes: int32 `[4]`, of the crops as they are stored, in the order of the upright ones.
        mirrors: bool `[4]`, whether each axis is then mirrored.
    """

    is_long: Tensor
    begins: Tensor
    extents: Tensor
    resized: Tensor
    scale: Tensor
    shifts: Tensor
    starts: Tensor
    axes: Tensor
    mirrors: Tensor

    @classmethod
    def signature(cls, crops: int) -> "CropPlan":
        """Returns the `tf.TensorSpec` of each tensor, for 1 or 3 crops."""
        places, pairs = tf.TensorSpec((crops, 3), tf.int32), (crops, 2)
        return cls(
            is_long=tf.TensorSpec((), tf.bool),
            begins=places,
            extents=places,
            resized=tf.TensorSpec(pairs, tf.int32),
            scale=tf.TensorSpec((2,), tf.float32),
            shifts=tf.TensorSpec(pairs, tf.float32),
            starts=places,
            axes=tf.TensorSpec((4,), tf.int32),
            mirrors=tf.TensorSpec((4,), tf.bool),
        )


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
    image = tf.convert_to_tensor(image)
    return cut_crops(image, plan_crops(tf.shape(image)[:2], size, crops, orientation), size)


def check_crops(crops: int) -> None:
    """Raises `UserError` unless a number of crops is 1 or 3."""
    if crops not in (1, 3):
        raise UserError(f"crops must be 1 or 3, not {crops!r}.")


def plan_crops(extent: Tensor, size: int, crops: int, orientation: int | Tensor) -> CropPlan:
    """Works out where the crops of `inference_crops` are cut.

    Args:
        extent: int `[2]`, height and width of the photograph as it is stored.
        size: int, see `inference_crops`.
        crops: 1 or 3.
        orientation: int scalar, of EXIF, 1 to 8.

    Returns:
        `CropPlan`.
    """
    extent, orientation = tf.cast(extent, tf.int64), tf.convert_to_tensor(orientation)
    whole = resized_extent(extent, size)
    is_long = tf.reduce_max(extent) > _LONGEST * tf.reduce_min(extent)
    room = exchanged(whole - size, orientation)
    starts = tf.stack([room // 2] if crops == 1 else [room // 2, tf.zeros_like(room), room])
    starts = as_stored(starts, room, orientation)
    scale = tf.cast(whole, tf.float64) / tf.cast(extent, tf.float64)
    # The antialiasing filter sees this many pixels either way.
    reach = tf.maximum(1 / scale, 1.0)
    offsets = tf.cast(starts, tf.float64)
    first = tf.maximum(tf.cast(tf.floor(offsets / scale - reach), tf.int64), 0)
    last = tf.cast(tf.math.ceil((offsets + size) / scale + reach), tf.int64)
    shifts = tf.cast(first, tf.float64) * scale - offsets
    pixel = tf.ones((crops - 1, 2), tf.int64)

    def unless_long(parts: Tensor, otherwise: Tensor) -> tf.Tensor:
        return tf.where(is_long, parts, tf.cast(otherwise, parts.dtype))

    def with_channels(places: Tensor, channels: int) -> tf.Tensor:
        return tf.cast(tf.pad(places, [[0, 0], [0, 1]], constant_values=channels), tf.int32)

    return CropPlan(
        is_long=is_long,
        begins=with_channels(unless_long(first, tf.zeros_like(first)), 0),
        extents=with_channels(
            unless_long(tf.minimum(last, extent) - first, tf.concat([extent[None], pixel], 0)), 3
        ),
        resized=tf.cast(
            unless_long(size + tf.zeros_like(starts), tf.concat([whole[None], pixel], 0)), tf.int32
        ),
        scale=tf.cast(whole, tf.float32) / tf.cast(extent, tf.float32),
        shifts=tf.cast(unless_long(shifts, tf.zeros_like(shifts)), tf.float32),
        starts=with_channels(unless_long(tf.zeros_like(starts), starts), 0),
        axes=tf.concat([[0], exchanged([1, 2], orientation), [3]], 0),
        mirrors=tf.concat([[False], mirrored(orientation), [False]], 0),
    )


def cut_crops(image: tf.Tensor, plan: CropPlan, size: int) -> tf.Tensor:
    """Makes the crops of `inference_crops` by a plan.

    It has few operations and no condition, since TensorFlow Serving would build them anew for each
    request.

    Args:
        image: `[H, W, 3]`, pixels in 0..255, of the extent that the plan was made for.
        plan: `CropPlan`.
        size: int, side of the crops in pixels.

    Returns:
        float32 `[crops, size, size, 3]`, in 0..255, upright.
    """
    whole: tf.Tensor | None = None
    squares: list[tf.Tensor] = []
    count = plan.starts.shape[0]
    columns = (plan.begins, plan.extents, plan.resized, plan.shifts, plan.starts)
    for begin, extent, resized, shift, start in zip(*map(tf.unstack, columns), strict=True):
        # One part after the other, since together they would hold three copies of their pixels.
        with tf.control_dependencies(squares[-1:]):
            part = tf.slice(image, begin, extent)[None]
        part = tf.raw_ops.ScaleAndTranslate(
            images=part,
            size=resized,
            scale=plan.scale,
            translation=shift,
            kernel_type="triangle",
            antialias=True,
        )[0]
        if whole is None:
            whole = part
            squares.append(tf.slice(whole, start, (size, size, 3)))
        else:
            square = tf.slice(whole, start, (size, size, 3))
            squares.append(tf.where(plan.is_long, part, square))
    upright = tf.transpose(tf.stack(squares), plan.axes)
    upright = tf.reverse(upright, tf.where(plan.mirrors)[:, 0])
    return tf.ensure_shape(upright, (count, size, size, 3))
