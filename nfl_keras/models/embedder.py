"""The model that is trained, saved and served, from photographs to unit vectors."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras

from nfl_keras.models.check_backbone import channels_last, check_backbone
from nfl_keras.models.freezing import freeze_layers, frozen_layers
from nfl_keras.models.image_input import as_inputs, image_shape
from nfl_keras.models.load_backbone import load_backbone
from nfl_keras.models.make_pooling import make_pooling
from nfl_keras.models.mend_layers import mend_layers
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class Embedder(keras.Model):
    """Photographs to embeddings: f = L2(Dense(z)), z the pooled output of a backbone.

    With a neck, f = L2(BatchNormalization(Dense(z))).

    Args:
        backbone: `keras.Model` from images to feature maps `[B, H, W, C]`, tokens `[B, T, C]`
            or vectors `[B, C]`; or the name, folder or `hf://` handle of a KerasHub preset, which
            is made for images of `image_size`; or `"tiny"`, a small ResNet with random weights.
        embedding_dim: int D, or `None` for f = L2(z). Defaults to `256`.
        image_size: int. Side in pixels of the square images that the embedder is trained
            with, and to which `nfl.retrieval.embed` and the export bring photographs. The
            network itself takes any size that the backbone takes. Defaults to `224`.
        pixel_scale: float, or one per channel. Defaults to the preset's own, and to `1.0` for
            a `keras.Model`.
        pixel_offset: float, or one per channel. The backbone gets
            `pixel_scale * pixels + pixel_offset`, for pixels in 0..255. Defaults to the preset's
            own, and to `0.0` for a `keras.Model`.
        pooling: how z is made, see `nfl.layers.Pooling`: `"mean"`, `"max"`, `"gem"`, `"cls"`,
            `"cls+mean"` or `"auto"`. `"auto"` is what the backbone was trained with: the class
            token of ViT, DeiT, DINOv2, DINOv3 and CLIP, the attention-pooled vector of SigLIP,
            the mean of other tokens (Swin) and of feature maps. Vectors are taken as they are.
            Defaults to `"auto"`.
        dtype: dtype policy, such as `"mixed_bfloat16"`, of all layers but the backbone's. It is
            saved with the embedder. Defaults to Keras' global policy when the embedder is made.
        neck: bool. Whether a BatchNormalization without offset stands before the scaling to unit
            length. In training it takes its statistics over all images of a batch, those of all
            replicas included. Defaults to `False`.
        **kwargs: as for `keras.Model`.

    Call arguments:
        inputs: float `[B, H, W, 3]`, pixels in 0..255.
        training: bool.

    Returns:
        `[B, D]`, unit vectors in float32.

    Raises:
        UserError: if the preset is not found, the backbone's output cannot be pooled, or the
            backbone does not take images of `image_size` or takes the channels first.

    Example:

    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> embedder(np.zeros((2, 32, 32, 3), "float32")).shape
    TensorShape([2, 16])

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """

    def __init__(
        self,
        backbone: keras.Model | str,
        embedding_dim: int | None = 256,
        image_size: int = 224,
        pixel_scale: float | Sequence[float] | None = None,
        pixel_offset: float | Sequence[float] | None = None,
        pooling: str = "auto",
        dtype: str | keras.DTypePolicy | None = None,
        neck: bool = False,
        **kwargs: Any,
    ) -> None:
        # === Layers ===
        policy = keras.dtype_policies.get(dtype)
        preset_scale: Any = 1.0
        preset_offset: Any = 0.0
        if not isinstance(backbone, keras.Model):
            backbone, preset_scale, preset_offset = load_backbone(backbone, image_size)
        pixel_scale = preset_scale if pixel_scale is None else pixel_scale
        pixel_offset = preset_offset if pixel_offset is None else pixel_offset
        rescaling = keras.layers.Rescaling(pixel_scale, pixel_offset, name="pixels", dtype=policy)
        pool = make_pooling(backbone, pooling, policy)
        check_backbone(backbone, image_size)
        mend_layers(backbone)
        projection = None
        if embedding_dim is not None:
            projection = keras.layers.Dense(
                embedding_dim, kernel_initializer="he_normal", name="projection", dtype=policy
            )
        normalization = None
        if neck:
            normalization = keras.layers.BatchNormalization(
                momentum=0.9,
                center=False,
                synchronized=keras.config.backend() == "tensorflow",
                name="neck",
                dtype=policy,
            )
        unit = keras.layers.UnitNormalization(name="embedding", dtype="float32")

        # === Functional Model ===
        images = keras.Input(image_shape(backbone)[1:], dtype="float32", name="images")
        features = pool(backbone(as_inputs(backbone, rescaling(images))))
        projected = features if projection is None else projection(features)
        normal = projected if normalization is None else normalization(projected)
        super().__init__(inputs=images, outputs=unit(normal), **kwargs)
        self.dtype_policy = policy

        # === Config ===
        self.backbone = backbone
        self.embedding_dim = embedding_dim
        self.image_size = image_size
        self.pixel_scale = pixel_scale
        self.pixel_offset = pixel_offset
        self.pooling = pooling
        self.neck = neck
        self.feature_dim = features.shape[-1]
        self._rescaling = rescaling
        self._pooling = pool
        self._projection = projection
        self._neck = normalization
        self._unit = unit

    def features(self, images: Tensor, training: bool = False) -> Tensor:
        """Computes the pooled features z of images.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            training: bool.

        Returns:
            `[B, feature_dim]`, in the compute dtype.
        """
        return self._pooling(self.maps(images, training))

    def maps(self, images: Tensor, training: bool = False) -> Tensor:
        """Computes what the backbone gives of images, before it is pooled.

        Args:
            images: float `[B, H, W, 3]`, pixels in 0..255.
            training: bool.

        Returns:
            Feature maps `[B, H', W', C]`, tokens `[B, T, C]` or vectors `[B, C]`.
        """
        pixels = as_inputs(self.backbone, self._rescaling(images))
        return self.backbone(pixels, training=training)

    def project(self, features: Tensor) -> Tensor:
        """Computes the embeddings f of features z.

        Args:
            features: float `[B, feature_dim]`.

        Returns:
            float32 `[B, D]`, unit vectors.
        """
        return self._unit(self.projected(features))

    def projected(self, features: Tensor, training: bool = False) -> Tensor:
        """Computes the embeddings of features z before they are scaled to unit length.

        Args:
            features: float `[B, feature_dim]`.
            training: bool. A neck takes the statistics of these features if it is true.

        Returns:
            `[B, D]`, in the compute dtype.
        """
        projected = features if self._projection is None else self._projection(features)
        return projected if self._neck is None else self._neck(projected, training=training)

    def without_projection(self) -> "Embedder":
        """Returns the embedder f = L2(z) of the same backbone, whose weights both share."""
        embedder = Embedder(
            self.backbone,
            None,
            self.image_size,
            self.pixel_scale,
            self.pixel_offset,
            self.pooling,
            dtype=self.dtype_policy,
        )
        embedder._pooling.set_weights(self._pooling.get_weights())
        return embedder

    def get_config(self) -> dict[str, Any]:
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "embedding_dim": self.embedding_dim,
            "image_size": self.image_size,
            "pixel_scale": self.pixel_scale,
            "pixel_offset": self.pixel_offset,
            "pooling": self.pooling,
            "neck": self.neck,
            "frozen_layers": frozen_layers(self.backbone),
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        with channels_last():
            backbone = keras.saving.deserialize_keras_object(
                config["backbone"], custom_objects=custom_objects
            )
        freeze_layers(backbone, config["frozen_layers"])
        arguments = {key: value for key, value in config.items() if key != "frozen_layers"}
        return cls(**{**arguments, "backbone": backbone})
