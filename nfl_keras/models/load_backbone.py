"""Makes backbones: KerasHub presets, and a small one with random weights."""

import os
from typing import Any

import keras

from nfl_keras.errors import UserError
from nfl_keras.models.check_backbone import channels_last
from nfl_keras.typing import Path

TINY = "tiny"


def load_backbone(name_or_folder: Path) -> tuple[keras.Model, Any, Any]:
    """Loads a backbone, with the scale and offset that its pixels need.

    Args:
        name_or_folder: str. `"tiny"` for a small ResNet with random weights, the name of a
            KerasHub preset (`"resnet_18_imagenet"`; downloaded when first used), or a folder
            that holds one.

    Returns:
        `(backbone, scale, offset)`: a `keras.Model`, and two floats (or one float per channel).
        The backbone expects `scale * pixels + offset` for pixels in 0..255. A preset that states
        no scale gets -1..1.

    Raises:
        UserError: if there is no such preset.

    Example:

    >>> from nfl_keras.models.load_backbone import load_backbone
    >>> backbone, scale, offset = load_backbone("tiny")
    >>> scale * 255 + offset
    1.0
    """
    if name_or_folder == TINY:
        return tiny_backbone(), 1 / 127.5, -1.0
    import keras_hub  # slow to import, and `train --help` does not need it

    name_or_folder = os.path.expanduser(name_or_folder)
    try:
        with channels_last():
            backbone = keras_hub.models.Backbone.from_preset(name_or_folder)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"cannot load the backbone {name_or_folder!r} ({reason}); give {TINY!r}, a folder "
            f"with a KerasHub preset, or a preset name such as 'resnet_18_imagenet'."
        ) from error
    return backbone, *_pixel_range(name_or_folder)


def tiny_backbone() -> keras.Model:
    """Makes a ResNet of four narrow stages (0.9 M parameters) that learns from scratch on a CPU.

    Returns:
        A `keras_hub.models.ResNetBackbone` with random weights.
    """
    import keras_hub

    return keras_hub.models.ResNetBackbone(
        data_format="channels_last",
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 96, 128, 160],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )


def _pixel_range(preset: Path) -> tuple[Any, Any]:
    import keras_hub

    has_converter = not os.path.isdir(preset) or os.path.exists(
        os.path.join(preset, "image_converter.json")
    )
    converter = keras_hub.layers.ImageConverter.from_preset(preset) if has_converter else None
    if converter is None or converter.scale is None:
        return 1 / 127.5, -1.0
    return converter.scale, 0.0 if converter.offset is None else converter.offset
