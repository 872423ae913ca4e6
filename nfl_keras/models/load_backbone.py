"""Makes backbones: KerasHub presets, and a small one with random weights."""

import os
from typing import Any

import keras

from nfl_keras.errors import UserError
from nfl_keras.models.check_backbone import channels_last
from nfl_keras.models.resize_backbone import resize_backbone
from nfl_keras.typing import Path

TINY = "tiny"


def load_backbone(name_or_folder: Path, image_size: int) -> tuple[keras.Model, Any, Any]:
    """Loads a backbone, with the scale and offset that its pixels need.

    Of a model of images and texts (SigLIP, CLIP) it is the vision encoder.

    Args:
        name_or_folder: str. `"tiny"` for a small ResNet with random weights, the name of a
            KerasHub preset (`"resnet_18_imagenet"`; downloaded when first used), a handle such
            as `"hf://facebook/dinov2-small"`, or a folder that holds a preset.
        image_size: int, side of the square images in pixels. A preset of another size is made
            for this one, see `resize_backbone`.

    Returns:
        `(backbone, scale, offset)`: a `keras.Model`, and two floats (or one float per channel).
        The backbone expects `scale * pixels + offset` for pixels in 0..255. A preset that states
        no scale gets -1..1.

    Raises:
        UserError: if there is no such preset, or none for images of that size.

    Example:

    >>> from nfl_keras.models.load_backbone import load_backbone
    >>> backbone, scale, offset = load_backbone("tiny", 32)
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
        scale, offset = _pixel_range(name_or_folder)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"cannot load the backbone {name_or_folder!r} ({reason}); give {TINY!r}, a folder "
            f"with a KerasHub preset, or a preset name such as 'resnet_18_imagenet'."
        ) from error
    backbone = getattr(backbone, "vision_encoder", backbone)
    return resize_backbone(backbone, image_size), scale, offset


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
    from keras_hub.src.utils.preset_utils import get_preset_loader, load_json

    try:
        # `ImageConverter.from_preset` finds none for a vision encoder that is saved by itself.
        converter = get_preset_loader(preset).load_image_converter(keras_hub.layers.ImageConverter)
        if converter is not None and converter.scale is not None:
            return converter.scale, 0.0 if converter.offset is None else converter.offset
        # KerasHub does not read it for the models of Transformers.
        settings = load_json(preset, "preprocessor_config.json")
        factor, means = settings.get("rescale_factor", 1 / 255), settings["image_mean"]
        deviations = settings["image_std"]
        return (
            [factor / deviation for deviation in deviations],
            [-mean / deviation for mean, deviation in zip(means, deviations, strict=True)],
        )
    except FileNotFoundError:
        return 1 / 127.5, -1.0
