"""Gaussian noise on the input image."""

import keras
from keras import ops

from nfl_keras.errors import UserError


@keras.saving.register_keras_serializable(package="nfl_keras")
class GaussianInputNoise(keras.layers.Layer):
    """Adds Gaussian noise to every pixel and channel, while training only.

    Nothing is clipped, so that the noise keeps its distribution. Unlike
    `keras.layers.GaussianNoise`, any scale is possible, and with it images in 0..255.

    Args:
        stddev: float >= 0. Standard deviation, in the unit of the input: the papers' 0.1 is
            for images in 0..1 (25.5 for images in 0..255). Defaults to `0.1`.
        seed: int or `None`. Two layers of one seed draw the same noise.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        inputs: float `[B, H, W, C]` (any shape will do).
        training: bool. Without it, or if false, the input is returned as it is.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `stddev` is negative.

    Example:

    >>> noise = nfl.layers.GaussianInputNoise(stddev=0.1, seed=0)
    >>> noisy = noise(images, training=True)

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """

    def __init__(self, stddev=0.1, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not stddev >= 0:
            raise UserError(f"stddev must be 0 or more, not {stddev}.")
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training or self.stddev == 0:
            return inputs
        return inputs + keras.random.normal(
            ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.seed_generator
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
