"""Defines a layer that adds noise of one length to feature vectors."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class UnitFeatureNoise(keras.layers.Layer):
    """Adds `scale * ξ / |ξ|` to each feature vector, ξ Gaussian, during training.

    The direction of the noise is uniform, and its length is always `scale`. (The normalization
    cancels any standard deviation of ξ.)

    Args:
        scale: float >= 0. Length of the noise vector. Defaults to `1.0`.
        seed: int or `None`. Two layers with one seed draw the same noise. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float `[..., D]`. Each vector along the last axis gets its own noise.
        training: bool. If false, the input is returned unchanged. Defaults to `False`.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `scale` is negative.

    Example:

    >>> noise = nfl.layers.UnitFeatureNoise(seed=0)
    >>> length = np.linalg.norm(noise(np.zeros((1, 64), "float32"), training=True))
    >>> round(float(length), 6)
    1.0

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """

    def __init__(self, scale: float = 1.0, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not scale >= 0:
            raise UserError(f"scale must be 0 or more, not {scale}.")
        self.scale = scale
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training or self.scale == 0:
            return inputs
        noise = keras.random.normal(ops.shape(inputs), dtype="float32", seed=self.seed_generator)
        noise = self.scale * ops.normalize(noise, axis=-1)
        return inputs + ops.cast(noise, inputs.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale, "seed": self.seed}
