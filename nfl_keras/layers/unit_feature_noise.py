"""Noise of unit norm on the features."""

import keras
from keras import ops

from nfl_keras.errors import UserError


@keras.saving.register_keras_serializable(package="nfl_keras")
class UnitFeatureNoise(keras.layers.Layer):
    """Adds `scale * ξ / |ξ|` to each feature vector, ξ Gaussian, while training only.

    The direction of the noise is uniform and its length is always `scale`. (A standard
    deviation of ξ would cancel in the normalization, hence `scale`.)

    Args:
        scale: float >= 0. Length of the noise vector. Defaults to `1.0`.
        seed: int or `None`. Two layers of one seed draw the same noise.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        inputs: float `[..., D]`; each vector along the last axis gets noise of its own.
        training: bool. Without it, or if false, the input is returned as it is.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `scale` is negative.

    Example:

    >>> noise = nfl.layers.UnitFeatureNoise(seed=0)
    >>> float(np.linalg.norm(noise(np.zeros((1, 64), "float32"), training=True)))
    1.0

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """

    def __init__(self, scale=1.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not scale >= 0:
            raise UserError(f"scale must be 0 or more, not {scale}.")
        self.scale = scale
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs, training=False):
        inputs = ops.cast(inputs, self.compute_dtype)
        if not training or self.scale == 0:
            return inputs
        noise = keras.random.normal(ops.shape(inputs), dtype="float32", seed=self.seed_generator)
        noise = self.scale * ops.normalize(noise, axis=-1)
        return inputs + ops.cast(noise, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "seed": self.seed}
