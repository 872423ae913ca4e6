"""Defines how images are given to a backbone, which may take them in a dict."""

from typing import Any

import keras

from nfl_keras.errors import UserError


def image_shape(backbone: keras.Model) -> tuple[int | None, ...]:
    """Returns the shape of a backbone's images, with the batch.

    Raises:
        UserError: if it has several inputs, or is not built.
    """
    shape: Any = getattr(backbone, "input_shape", None)
    if not isinstance(shape, tuple):
        raise UserError(
            f"the backbone {backbone.name!r} has the input shape {shape}; an embedder needs one "
            f"that takes images alone."
        )
    return shape


def as_inputs(backbone: keras.Model, images: Any) -> Any:
    """Returns images, or their shape, as a backbone takes them: `{"pixel_values": images}`."""
    names = getattr(backbone, "_inputs_struct", None)
    return dict.fromkeys(names, images) if isinstance(names, dict) else images
