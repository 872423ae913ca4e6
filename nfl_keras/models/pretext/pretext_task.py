"""Defines `PretextTask`, the base class of questions about an image that need no label."""

from typing import Any

import keras

from nfl_keras.typing import Tensor

# Evaluation draws the same at each call, and leaves the task's generator as it is.
_EVALUATION_SEED = 0


class PretextTask(keras.layers.Layer):
    """A question that `nfl.models.NoiseAssistedModel` asks about one more view of each image.

    The task draws something for each image and renders a view by it. Its head must then find the
    answer in the pooled features z of the view. A subclass defines

    - `draw(images, seed)`, what it draws, `[B, ...]`. Each image draws on its own, so that the
      draws do not depend on how replicas divide a batch.
    - `render(images, draws)`, the views. It draws nothing at random.
    - `build(feature_shape)` and `call(features)`, the head, a Keras layer.
    - `values(features, clean_features, draws)`, the loss, one value per image.

    A task that classifies its draws needs `render` alone, see `ClassificationTask`. Register a
    task with `keras.saving.register_keras_serializable` to save it with its model.

    Args:
        seed: int or `None`. Two tasks with the same seed draw the same. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Reference: [NAFL] section 5.3, doi 10.32604/csse.2023.032047.
    """

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def draw_for(self, images: Tensor, training: bool) -> Tensor:
        """Draws from the task's generator while training, and the same at each call otherwise."""
        return self.draw(images, self.seed_generator if training else _EVALUATION_SEED)

    def draw(self, images: Tensor, seed: int | keras.random.SeedGenerator) -> Tensor:
        """Draws something for each image.

        Args:
            images: `[B, ...]`. Only their number may matter.
            seed: int or `keras.random.SeedGenerator`, for `keras.random`.

        Returns:
            Tensor `[B, ...]`, integer or floating.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(images, seed).")

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        """Renders the views.

        Args:
            images: `[B, H, W, 3]`, pixels in 0..255.
            draws: `[B, ...]`, the result of `draw`.

        Returns:
            Tensor of the images' shape and dtype.
        """
        raise NotImplementedError(f"{type(self).__name__} must define render(images, draws).")

    def values(self, features: Tensor, clean_features: Tensor, draws: Tensor) -> Tensor:
        """Computes the loss of each image.

        Args:
            features: `[B, C]`, pooled features z of the views.
            clean_features: `[B, C]`, pooled features of the images themselves.
            draws: `[B, ...]`, the result of `draw`.

        Returns:
            float32 `[B]`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define values(features, clean_features, draws)."
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
