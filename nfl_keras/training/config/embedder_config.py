"""Settings of the network."""

import dataclasses

from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class EmbedderConfig:
    """Settings of the network.

    Args:
        backbone: "tiny" (random weights), a KerasHub preset name, or a preset folder.
        embedding_dim: Dimensions of the embedding; null for the pooled features themselves.
        image_size: Side of the square images in pixels.
        pixel_scale: Pixels enter the backbone as scale * (0..255) + offset; one number, or one
            per channel. Defaults to what the preset states.
        pixel_offset: See pixel_scale.
        freeze_through: Freeze the backbone up to the last layer whose name starts so ("block5").
        freeze_batch_norm: Keep every BatchNormalization layer as it was pretrained.
        synchronize_batch_norm: Let BatchNormalization take its statistics over the whole batch of
            all replicas. Otherwise each replica takes those of its own images.
    """

    backbone: str = "tiny"
    embedding_dim: int | None = 128
    image_size: int = 64
    pixel_scale: float | list[float] | None = None
    pixel_offset: float | list[float] | None = None
    freeze_through: str | None = None
    freeze_batch_norm: bool = False
    synchronize_batch_norm: bool = False

    def __post_init__(self) -> None:
        check_at_least(self, 1, "embedding_dim", "image_size")
