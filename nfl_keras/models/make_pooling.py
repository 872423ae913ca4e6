"""Defines how the output of a backbone is pooled."""

import keras

from nfl_keras.errors import UserError
from nfl_keras.layers import Pooling

# Backbones of KerasHub whose first token is the class token, and what other tokens follow it
# before those of patches.
_OTHER_TOKENS = {
    "CLIPVisionEncoder": lambda backbone: 0,
    "DeiTBackbone": lambda backbone: 1,  # The distillation token.
    "DINOV2Backbone": lambda backbone: backbone.num_register_tokens,
    "DINOV3Backbone": lambda backbone: backbone.num_register_tokens,
    "MetaCLIP2VisionEncoder": lambda backbone: 0,
    "ViTBackbone": lambda backbone: 0 if backbone.use_class_token else -1,
}


def make_pooling(
    backbone: keras.Model, pooling: str, dtype: keras.DTypePolicy
) -> keras.layers.Layer:
    """Makes the layer that pools the output of a backbone.

    Args:
        backbone: `keras.Model`.
        pooling: `"auto"` or a method of `nfl.layers.Pooling`, see `nfl.models.Embedder`.
        dtype: dtype policy of the layer.

    Returns:
        A `keras.layers.Layer`, named `"features"`.

    Raises:
        UserError: if the backbone's output cannot be pooled so.
    """
    # A subclassed model, or a Sequential one without an Input, has no output shape.
    output_shape = getattr(backbone, "output_shape", None)
    rank = len(output_shape) if isinstance(output_shape, tuple) else None
    if rank == 2:
        if pooling != "auto":
            raise UserError(
                f"the backbone {backbone.name!r} gives vectors, which pooling {pooling!r} cannot "
                f"pool again; take pooling 'auto'."
            )
        return keras.layers.Identity(name="features", dtype=dtype)
    if rank not in (3, 4):
        raise UserError(
            f"the backbone {backbone.name!r} has the output shape {output_shape}; an embedder "
            f"needs a Functional or Sequential model with an Input, and feature maps "
            f"[B, H, W, C], tokens [B, T, C] or vectors [B, C]."
        )
    others = _OTHER_TOKENS.get(type(backbone).__name__, lambda backbone: -1)
    prefix_tokens = 1 + others(backbone)
    if pooling == "auto":
        pooling = "cls" if prefix_tokens else "mean"
    return Pooling(pooling, prefix_tokens, name="features", dtype=dtype)
