"""Defines a layer that adds Gaussian noise to images."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


@keras.saving.register_keras_serializable(package="nfl_keras")
class GaussianInputNoise(keras.layers.Layer):
    """Adds Gaussian noise to every pixel and channel during training.

    The layer does not clip its output, so that the noise keeps its distribution.
    `keras.layers.GaussianNoise` allows a `stddev` of at most 1; this layer allows any, as images
    in 0..255 need.

    Args:
        stddev: float >= 0. Standard deviation in the unit of the input. The papers' 0.1 is for
            images in 0..1 (25.5 for images in 0..255). Defaults to `0.1`.
        seed: int or `None`. Two layers with one seed draw the same noise. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float `[B, H, W, C]`, or of any other shape.
        training: bool. If false, the input is returned unchanged. Defaults to `False`.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `stddev` is negative.

    Example:

    >>> noise = nfl.layers.GaussianInputNoise(stddev=0.1, seed=0)
    >>> noisy = noise(np.zeros((2, 64, 64, 3), "float32"), training=True)
    >>> round(float(np.std(noisy)), 2)
    0.1

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """

    def __init__(self, stddev: float = 0.1, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not stddev >= 0:
            raise UserError(f"stddev must be 0 or more, not {stddev}.")
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training or self.stddev == 0:
            return inputs
        return inputs + keras.random.normal(
            ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
