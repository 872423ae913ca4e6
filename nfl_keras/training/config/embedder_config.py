"""Settings of the network."""

import dataclasses
from typing import Literal

from nfl_keras.errors import UserError
from nfl_keras.training.config.ranges import check_at_least


@dataclasses.dataclass(frozen=True)
class EmbedderConfig:
    """Settings of the network.

    Args:
        backbone: The pretrained network: a KerasHub preset name, a preset folder, a handle such as
            "hf://facebook/dinov2-small", or "tiny", a small network with random weights.
        embedding_dim: Dimensions of the embedding. null takes the pooled features as they are.
        projection: What the layer from the pooled features to the embedding begins with: "pca", the
            principal components of the training photographs' features; "random", the papers' He
            initialization. Defaults to pca for a pretrained backbone with as many features as the
            embedding has dimensions, and else to random.
        whitening: How far the components of projection pca are brought to one deviation: component
            k is divided by its deviation to this power. 0 keeps the distances of the features.
        image_size: Side of the square images in pixels.
        pixel_scale: Factor on pixels of 0..255 before they enter the backbone; one number, or one
            per channel. Defaults to the preset's own.
        pixel_offset: Number added to the scaled pixels; one number, or one per channel. Defaults to
            the preset's own.
        pooling: How the backbone's output becomes one vector. "cls" is the class token, "gem" the
            generalized mean. "auto" is what the backbone was trained with.
        neck: Normalize the embedding by a BatchNormalization without offset before it is scaled to
            unit length. Defaults to true for the recipe classification, and else to false.
        freeze_through: Freeze the backbone up to the last layer whose name starts with this text,
            such as "block5", or "vit_encoder/transformer_block_7" for a layer within another. A
            name that fits none is answered with those there are.
        freeze_batch_norm: Keep every BatchNormalization layer of the backbone as it was pretrained.
        lora: Rank of low-rank updates (LoRA) by which alone the rest of the backbone learns: its
            attention layers' queries and values, or, without attention, its convolutions and dense
            layers. They are part of the kernels in the saved model. 0 lets all weights learn.
        synchronize_batch_norm: Let the backbone's BatchNormalization compute its statistics over
            the images of all replicas. Without it, each replica uses its own images.
    """

    backbone: str = "tiny"
    embedding_dim: int | None = 128
    projection: Literal["pca", "random"] | None = None
    whitening: float = 0.5
    image_size: int = 64
    pixel_scale: float | list[float] | None = None
    pixel_offset: float | list[float] | None = None
    pooling: Literal["auto", "mean", "max", "gem", "cls", "cls+mean"] = "auto"
    neck: bool | None = None
    freeze_through: str | None = None
    freeze_batch_norm: bool = False
    lora: int = 0
    synchronize_batch_norm: bool = False

    def __post_init__(self) -> None:
        check_at_least(self, 0, "lora")
        check_at_least(self, 1, "embedding_dim", "image_size")
        if not 0 <= self.whitening <= 1:
            raise UserError(f"whitening must be in 0..1, not {self.whitening}.")
        if self.projection is not None and self.embedding_dim is None:
            raise UserError(f"projection {self.projection} needs an embedding_dim.")
