"""Defines what an embedder asks of its backbone, and the data format that it is made in."""

import contextlib
from collections.abc import Iterator

import keras

from nfl_keras.errors import UserError
from nfl_keras.models.image_input import as_inputs, image_shape


@contextlib.contextmanager
def channels_last() -> Iterator[None]:
    """Makes layers that are made without a `data_format` take the channels last.

    The images of the package are `[B, H, W, 3]`, whatever `keras.config` says.
    """
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


def check_backbone(backbone: keras.Model, image_size: int) -> None:
    """Raises `UserError` unless a backbone takes images of a size and keeps the channels last.

    Args:
        backbone: `keras.Model` from `[B, H, W, C]`. One from vectors takes any size.
        image_size: int, side of the square images in pixels.
    """
    first = [
        layer.name
        for layer in backbone._flatten_layers()
        if getattr(layer, "data_format", None) == "channels_first"
    ]
    if first:
        raise UserError(
            f"the backbone {backbone.name!r} takes the channels first (in its layer {first[0]!r}), "
            f"and an embedder gives it images [B, H, W, 3]; make it after "
            f"keras.config.set_image_data_format('channels_last')."
        )
    given = image_shape(backbone)
    if len(given) != 4:
        return
    if any(side not in (None, image_size) for side in given[1:3]):
        raise UserError(
            f"the backbone {backbone.name!r} takes images of {given[1]} x {given[2]} pixels alone, "
            f"and image_size is {image_size}; set image_size to its size, or make the backbone "
            f"for yours."
        )
    try:
        shape = as_inputs(backbone, (1, image_size, image_size, given[-1]))
        maps = backbone.compute_output_shape(shape)
    except NotImplementedError:
        return  # A Lambda layer does not tell its shape.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise _does_not_fit(backbone, image_size, reason) from error
    if 0 in maps:
        raise _does_not_fit(backbone, image_size, f"its output has the shape {list(maps)}")


def _does_not_fit(backbone, image_size, reason):
    return UserError(
        f"the backbone {backbone.name!r} cannot take images of image_size {image_size} "
        f"({reason.rstrip('.')}); set an image_size that its strides fit."
    )
