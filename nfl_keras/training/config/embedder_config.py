"""Settings of the network."""

import dataclasses
from typing import Literal

from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class EmbedderConfig:
    """Settings of the network.

    Args:
        backbone: The pretrained network: a KerasHub preset name, a preset folder, a handle such as
            "hf://facebook/dinov2-small", or "tiny", a small network with random weights.
        embedding_dim: Dimensions of the embedding. null takes the pooled features as they are.
        image_size: Side of the square images in pixels.
        pixel_scale: Factor on pixels of 0..255 before they enter the backbone; one number, or one
            per channel. Defaults to the preset's own.
        pixel_offset: Number added to the scaled pixels; one number, or one per channel. Defaults to
            the preset's own.
        pooling: How the backbone's output becomes one vector. "cls" is the class token, "gem" the
            generalized mean. "auto" is what the backbone was trained with.
        freeze_through: Freeze the backbone up to the last layer whose name starts with this text,
            such as "block5".
        freeze_batch_norm: Keep every BatchNormalization layer of the backbone as it was pretrained.
        synchronize_batch_norm: Let BatchNormalization compute its statistics over the images of all
            replicas. Without it, each replica uses its own images.
    """

    backbone: str = "tiny"
    embedding_dim: int | None = 128
    image_size: int = 64
    pixel_scale: float | list[float] | None = None
    pixel_offset: float | list[float] | None = None
    pooling: Literal["auto", "mean", "max", "gem", "cls", "cls+mean"] = "auto"
    freeze_through: str | None = None
    freeze_batch_norm: bool = False
    synchronize_batch_norm: bool = False

    def __post_init__(self) -> None:
        check_at_least(self, 1, "embedding_dim", "image_size")
