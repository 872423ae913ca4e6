"""Defines `ClassificationTask`, a pretext task that asks which class an image drew."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.pretext.pretext_task import PretextTask
from nfl_keras.typing import Tensor


class ClassificationTask(PretextTask):
    """A pretext task that draws one of K classes for each image, and asks z which one it was.

    A subclass defines `render`. The head is a Dense layer, and the loss its cross-entropy.

    Args:
        num_classes: int K >= 2.
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: if there are fewer than two classes.

    Example:

    >>> @keras.saving.register_keras_serializable()
    ... class Negative(nfl.models.pretext.ClassificationTask):
    ...     def __init__(self, num_classes=2, **kwargs):
    ...         super().__init__(num_classes, **kwargs)
    ...     def render(self, images, draws):
    ...         return keras.ops.where(draws[:, None, None, None] == 1, 255 - images, images)
    >>> model = nfl.models.NoiseAssistedModel(embedder, pretext=Negative(seed=0))
    """

    def __init__(self, num_classes: int, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if num_classes < 2:
            raise UserError(f"a pretext task needs at least 2 classes, not {num_classes}.")
        self.num_classes = num_classes
        self.head = keras.layers.Dense(
            num_classes, kernel_initializer="he_normal", name="head", dtype=self.dtype_policy
        )

    def build(self, feature_shape: tuple[int | None, ...]) -> None:
        self.head.build(feature_shape)
        self.built = True

    def call(self, features: Tensor) -> Tensor:
        """Computes the logits `[B, K]` of pooled features z `[B, C]`."""
        return self.head(features)

    def compute_output_shape(self, feature_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*feature_shape[:-1], self.num_classes)

    def draw(self, images: Tensor, seed: int | keras.random.SeedGenerator) -> Tensor:
        count = ops.shape(images)[0]
        return keras.random.randint((count,), 0, self.num_classes, dtype="int32", seed=seed)

    def values(self, features: Tensor, clean_features: Tensor, draws: Tensor) -> Tensor:
        logits = ops.cast(self(features), "float32")
        return keras.losses.sparse_categorical_crossentropy(draws, logits, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
