"""What a pretext task is: a question about a changed image that is answered without labels."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# In evaluation every image draws the same each time, and no generator moves on.
_EVALUATION_SEED = 0


class PretextTask(keras.layers.Layer):
    """A question that `nfl.models.NoiseAssistedModel` asks about one more view of each image.

    Something is drawn for each image, the view is rendered accordingly, and a head of the
    task's own must find out from the view's pooled features z. A subclass defines

    - `draw(images, seed)`: what is drawn, `[B, ...]`, for each image on its own, so that it
      does not depend on how a batch is divided among replicas;
    - `render(images, draws)`: the views, nothing drawn at random;
    - `build(feature_shape)` and `call(features)`: the head, as those of any Keras layer;
    - `values(features, clean_features, draws)`: the loss, one value per image.

    One that is a classification of what was drawn needs `render` alone: see
    `ClassificationTask`. To be saved with a model, it must be registered as Keras' layers are.

    Args:
        seed: int or `None`. Two tasks of one seed draw the same. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Reference: [NAFL] section 5.3, doi 10.32604/csse.2023.032047.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def draw_for(self, images: Tensor, training: bool) -> Tensor:
        """`draw` from the task's own generator; if not training, the same at each call."""
        return self.draw(images, self.seed_generator if training else _EVALUATION_SEED)

    def draw(self, images: Tensor, seed: int | keras.random.SeedGenerator) -> Tensor:
        """What each image draws.

        Args:
            images: `[B, ...]`, of which only the number may matter.
            seed: int or `keras.random.SeedGenerator`, for `keras.random`.

        Returns:
            Tensor `[B, ...]`, integer or floating.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(images, seed).")

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        """The views.

        Args:
            images: `[B, H, W, 3]`, pixels in 0..255.
            draws: as `draw` gave them.

        Returns:
            Tensor of the images' shape and dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} must define render(images, draws).")

    def values(self, features: Tensor, clean_features: Tensor, draws: Tensor) -> Tensor:
        """The loss of each image.

        Args:
            features: `[B, C]`, pooled features z of the views.
            clean_features: `[B, C]`, those of the images themselves.
            draws: as `draw` gave them.

        Returns:
            float32 `[B]`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define values(features, clean_features, draws)."
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}


class ClassificationTask(PretextTask):
    """A pretext task in which each image draws one of K classes, and z must tell which.

    A subclass defines `render`; the head is one Dense layer, the loss its cross-entropy.

    Args:
        num_classes: int K >= 2.
        seed: int or `None`. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Raises:
        UserError: if there are less than two classes.

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
            raise UserError(f"a pretext task needs 2 classes at least, not {num_classes}.")
        self.num_classes = num_classes
        self.head = keras.layers.Dense(
            num_classes, kernel_initializer="he_normal", name="head", dtype=self.dtype_policy
        )

    def build(self, feature_shape: tuple[int | None, ...]) -> None:
        self.head.build(feature_shape)
        self.built = True

    def call(self, features: Tensor) -> Tensor:
        """The logits `[B, K]` of pooled features z `[B, C]`."""
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
