"""Defines `Exemplar`, the pretext task that asks from which image a view was made."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import RandomView
from nfl_keras.losses import noise_invariance
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.models.pretext.pretext_task import PretextTask
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class Exemplar(PretextTask):
    """A pretext task that changes each image in six ways, and asks z which image it was.

    The changes are translation by up to 0.2 of height and width, scaling by 1 / 1.4 to 1.4,
    rotation by up to 20 degrees, contrast by 0.5 to 1.5, saturation by 0.5 to 1.5, and hue by up
    to 0.1 turns. `nfl.layers.RandomView` makes them.

    The original task gives each photograph of the dataset a class, which does not scale to 60,000
    photographs. Here, the classes are the images of the batch, over all replicas. With h(z) a
    linear head, scaled to unit length, h(z_j) of the unchanged image j are the weights of class j.
    The loss of the changed image i is the cross-entropy of
    softmax_j(h(z'_i) . h(z_j) / temperature) with target i.

    Args:
        head_dim: int, dimension of h(z). Defaults to `128`.
        temperature: float > 0. Defaults to `0.1`.
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: if `head_dim` is below 1, or `temperature` is not above 0.

    Example:

    >>> model = nfl.models.NoiseAssistedModel(embedder, pretext="exemplar")

    Reference: [NAFL] section 5.3; Dosovitskiy et al., Discriminative unsupervised feature
    learning with convolutional neural networks, NIPS 2014.
    """

    def __init__(
        self, head_dim: int = 128, temperature: float = 0.1, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, **kwargs)
        if head_dim < 1:
            raise UserError(f"head_dim must be 1 or more, not {head_dim}.")
        check_temperature(temperature)
        self.head_dim = head_dim
        self.temperature = temperature
        self.changes = RandomView(
            translation=0.2,
            scaling=1.4,
            rotation=20.0,
            mirror=False,
            contrast=0.5,
            saturation=0.5,
            hue=0.1,
            dtype="float32",
        )
        self.head = keras.layers.Dense(
            head_dim, use_bias=False, kernel_initializer="he_normal", dtype=self.dtype_policy
        )
        self.unit = keras.layers.UnitNormalization(dtype="float32")

    def build(self, feature_shape: tuple[int | None, ...]) -> None:
        self.head.build(feature_shape)
        self.unit.build(self.compute_output_shape(feature_shape))
        self.built = True

    def call(self, features: Tensor) -> Tensor:
        """Computes h(z), float32 unit vectors `[B, head_dim]`, of pooled features z `[B, C]`."""
        return self.unit(self.head(features))

    def compute_output_shape(self, feature_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*feature_shape[:-1], self.head_dim)

    def draw(self, images: Tensor, seed: int | keras.random.SeedGenerator) -> Tensor:
        return self.changes.draw(images, seed)

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        return ops.cast(self.changes.render(images, draws), images.dtype)

    def values(self, features: Tensor, clean_features: Tensor, draws: Tensor) -> Tensor:
        return noise_invariance(self(clean_features), self(features), self.temperature)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "temperature": self.temperature,
        }
