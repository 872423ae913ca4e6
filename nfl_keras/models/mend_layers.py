"""Defines what layers of KerasHub need to be trained, saved and loaded as they are."""

import functools

import keras


def mend_layers(backbone: keras.Model) -> None:
    """Lets the layers of a backbone be trained without warnings, and saved whole.

    A DINO keeps a token for masked patches, which no gradient reaches here: it is frozen.
    `DINOV2Embedding` of KerasHub 0.32 saves position embeddings only if the sum of their changes
    is above 0, and loads those that it has interpolated to another image size by interpolating
    again. Its weights are saved and loaded as those of every other layer.
    """
    for layer in backbone._flatten_layers():
        if getattr(layer, "mask_token", None) is not None:
            layer.mask_token.trainable = False
        if hasattr(layer, "interpolated_position_embeddings"):
            for name in ("save_own_variables", "load_own_variables"):
                plain = getattr(keras.layers.Layer, name)
                setattr(layer, name, functools.partial(plain, layer))
