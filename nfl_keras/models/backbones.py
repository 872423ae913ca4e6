"""Backbones: KerasHub presets, a small one for random initialization, and how to freeze them."""

import os

import keras

from nfl_keras.errors import UserError

TINY = "tiny"


def load_backbone(name_or_folder):
    """A backbone, and the scale and offset that bring pixels in 0..255 to what it expects.

    Args:
        name_or_folder: str. `"tiny"` for a small ResNet with random weights, the name of a
            KerasHub preset (`"resnet_18_imagenet"`; downloaded when first used), or a folder
            that holds one.

    Returns:
        `(backbone, scale, offset)`: a `keras.Model`, and two floats (or one float per
        channel), to be applied as `scale * pixels + offset`. They are the preset's own where
        it states them, otherwise those that give -1..1.

    Raises:
        UserError: if there is no such preset.

    Example:

    >>> backbone, scale, offset = load_backbone("resnet_18_imagenet")
    """
    if name_or_folder == TINY:
        return tiny_backbone(), 1 / 127.5, -1.0
    import keras_hub  # slow to import, and `train --help` does not need it

    try:
        backbone = keras_hub.models.Backbone.from_preset(name_or_folder)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"cannot load the backbone {name_or_folder!r} ({reason}); give {TINY!r}, a folder "
            f"with a KerasHub preset, or a preset name such as 'resnet_18_imagenet'."
        ) from error
    return backbone, *_pixel_range(name_or_folder)


def tiny_backbone():
    """A ResNet of four narrow stages (0.9 M parameters) that learns from scratch on a CPU.

    Returns:
        A `keras_hub.models.ResNetBackbone` with random weights.
    """
    import keras_hub

    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 96, 128, 160],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )


def freeze_through(backbone, prefix):
    """Freezes a backbone up to and including the last layer whose name starts with `prefix`.

    Frozen BatchNormalization layers also keep their moving statistics. Call it before
    `compile()`.

    Args:
        backbone: `keras.Model` whose layers stand in the order in which data flows.
        prefix: str, such as `"block5"`.

    Raises:
        UserError: if no layer's name starts so.
    """
    names = [layer.name for layer in backbone.layers]
    last = max((i for i, name in enumerate(names) if name.startswith(prefix)), default=None)
    if last is None:
        weighted = [layer.name for layer in backbone.layers if layer.weights]
        raise UserError(
            f"no layer of the backbone has a name that starts with {prefix!r}; its layers run "
            f"{', '.join(weighted[:4])}, ... {', '.join(weighted[-4:])}."
        )
    for layer in backbone.layers[: last + 1]:
        layer.trainable = False


def freeze_batch_norm(backbone):
    """Fixes statistics, scale and shift of every BatchNormalization layer of a backbone."""
    for layer in _all_layers(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def synchronize_batch_norm(backbone):
    """Lets BatchNormalization take its statistics over the whole batch of all replicas.

    Otherwise each replica of a `tf.distribute` strategy takes those of its own images, and what
    is learned depends on the number of replicas. A KerasHub backbone's own config does not keep
    it: call it again on one that is loaded to be trained further.
    """
    for layer in _all_layers(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def frozen_layers(backbone):
    """Positions of the frozen layers, nested ones included, for `freeze_layers`.

    A KerasHub backbone's own config does not keep which of its layers are frozen.
    """
    return [i for i, layer in enumerate(_all_layers(backbone)) if not layer.trainable]


def freeze_layers(backbone, positions):
    """Freezes the layers that `frozen_layers` found in a backbone of the same config."""
    layers = _all_layers(backbone)
    for position in positions:
        layers[position].trainable = False


def _all_layers(backbone):
    return backbone._flatten_layers(include_self=False)


def _pixel_range(preset):
    import keras_hub

    has_converter = not os.path.isdir(preset) or os.path.exists(
        os.path.join(preset, "image_converter.json")
    )
    converter = keras_hub.layers.ImageConverter.from_preset(preset) if has_converter else None
    if converter is None or converter.scale is None:
        return 1 / 127.5, -1.0
    return converter.scale, 0.0 if converter.offset is None else converter.offset
