"""Defines how a backbone that was made for one image size is made again for another."""

import math

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.check_backbone import channels_last
from nfl_keras.typing import Tensor


def resize_backbone(backbone: keras.Model, image_size: int) -> keras.Model:
    """Makes a backbone of KerasHub for images of another size, with the same weights.

    Position embeddings are interpolated (bicubic), those of class token and registers kept.

    Args:
        backbone: `keras.Model`, with `image_shape` among the arguments of its constructor.
        image_size: int, side of the square images in pixels.

    Returns:
        A `keras.Model`: the same one if it takes that size or has no `image_shape`.

    Raises:
        UserError: if there can be no such backbone of that size.
    """
    config = backbone.get_config()
    shape = config.get("image_shape")
    if shape is None or tuple(shape[:2]) in ((None, None), (image_size, image_size)):
        return backbone
    step, least = _sizes(backbone)
    if image_size % step or image_size < least:
        raise UserError(
            f"the backbone {backbone.name!r} cannot be made for image_size {image_size}; set it to "
            f"a multiple of {step}" + (f" from {least} up." if least > step else ".")
        )
    try:
        with channels_last():
            resized = type(backbone).from_config(
                {**config, "image_shape": (image_size, image_size, shape[-1])}
            )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"the backbone {backbone.name!r} cannot be made for image_size {image_size} "
            f"({reason.rstrip('.')}); set image_size to {shape[0]}, which it was made for."
        ) from error
    antialias = getattr(backbone, "antialias_in_interpolation", True)
    for old, new in zip(backbone.weights, resized.weights, strict=True):
        if old.shape == new.shape:
            new.assign(old)
        elif keras.backend.is_float_dtype(new.dtype):  # else it counts the positions
            new.assign(_interpolate(old, new.shape, antialias))
    return resized


def _sizes(backbone: keras.Model) -> tuple[int, int]:
    """Returns the number that image sizes must be a multiple of, and the smallest."""
    patch = getattr(backbone, "patch_size", 1)
    step = patch if isinstance(patch, int) else patch[0]
    if not hasattr(backbone, "window_size"):
        return step, step
    step *= 2 ** (len(backbone.depths) - 1)  # Each stage of a Swin halves height and width.
    return step, step * backbone.window_size


def _interpolate(positions: Tensor, shape: tuple[int, ...], antialias: bool) -> Tensor:
    """Resizes position embeddings `[..., P + S * S, C]`, the first P of which are of no patch."""
    rows = ops.reshape(ops.cast(positions, "float32"), (-1, shape[-1]))
    side, new_side = math.isqrt(rows.shape[0]), math.isqrt(shape[-2])
    prefix = rows.shape[0] - side**2
    grid = ops.reshape(rows[prefix:], (1, side, side, shape[-1]))
    resized = ops.image.resize(
        grid, (new_side, new_side), "bicubic", antialias, data_format="channels_last"
    )
    return ops.reshape(
        ops.concatenate([rows[:prefix], ops.reshape(resized, (-1, shape[-1]))]), shape
    )
