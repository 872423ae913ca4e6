"""Random white balance of the input image."""

import functools
import os

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers.white_balance.planckian import PlanckianShift
from nfl_keras.layers.white_balance.published import PublishedEmulator

# Sets the draws of `recolor` apart from others of one seed: "wb" in ASCII.
_FOLD = 0x7762


@keras.saving.register_keras_serializable(package="nfl_keras")
class WhiteBalanceEmulation(keras.layers.Layer):
    """Gives images the white balance of another camera setting, while training only.

    Each image of a batch is drawn by itself: with `probability` it gets one of ten renderings
    (five presets from tungsten to shade, each in two camera styles), else it stays as it is.

    The renderings are those of Afifi & Brown's emulator, with the parameters that they publish
    and that `parameters` names. Without them the light is shifted at random along the Planckian
    locus instead, which is an approximation of our own: a camera setting drawn between 2,850
    and 7,500 K, uniformly in mired, with a tint of up to 0.005 in CIE 1960 uv, for a scene of
    4,550 K. `describe` says which of the two is at work.

    Args:
        parameters: path of the folder with features.npy, mappingFuncs.npy, encoderWeights.npy
            and encoderBias.npy, or `None`. It is read when the layer is made, also when it is
            made from its config. Defaults to `None`.
        probability: float in 0..1. Defaults to `0.5`.
        seed: int or `None`. Two layers of one seed draw the same. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        inputs: `[B, H, W, 3]` in 0..255. Computed with in float32.
        training: bool. Without it, or if false, the input is returned as it is.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `probability` is not in 0..1, or a file of `parameters` cannot be used.

    Example:

    >>> layer = nfl.layers.WhiteBalanceEmulation(seed=0)
    >>> layer.describe()
    'white balance: random shift along the Planckian locus (no published parameters given)'
    >>> recolored = layer(images, training=True)

    Reference: Afifi & Brown, What else can fool deep learning? Addressing color constancy
    errors on deep neural network performance, ICCV 2019; [NIFL] section 4,
    doi 10.1038/s41598-025-97528-9.
    """

    def __init__(self, parameters=None, probability=0.5, seed=None, **kwargs):
        # Cast to bfloat16, pixels would be rounded before they are computed with.
        super().__init__(autocast=False, **kwargs)
        if not 0 <= probability <= 1:
            raise UserError(f"probability must be in 0..1, not {probability}.")
        self.parameters = None if parameters is None else os.fspath(parameters)
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True
        self._emulator = (
            PlanckianShift() if self.parameters is None else PublishedEmulator(self.parameters)
        )

    def call(self, inputs, training=False):
        if not training or self.probability == 0:
            return ops.cast(inputs, self.compute_dtype)
        images = ops.cast(inputs, "float32")
        uniform = keras.random.uniform(
            (ops.shape(images)[0], 3), dtype="float32", seed=self.seed_generator
        )
        chosen = uniform[:, 0] < self.probability
        rendered = self._emulator.render(images, self._emulator.draw(uniform[:, 1:]))
        return ops.cast(
            ops.where(chosen[:, None, None, None], rendered, images), self.compute_dtype
        )

    def emulate(self, images, style):
        """Images in one rendering, nothing drawn at random.

        Args:
            images: `[H, W, 3]` or `[B, H, W, 3]`, in 0..255.
            style: int or int `[B]` in 0..9: the presets fluorescent, shade, tungsten, cloudy
                and daylight, each in two camera styles. Without published parameters, the
                light that the camera is set to: a pair, or `[B, 2]`, of kelvin and distance
                from the Planckian locus (CIE 1960 uv, positive toward green).

        Returns:
            float32 tensor of the images' shape, in 0..255.

        Raises:
            UserError: if there is no such style.

        Example:

        >>> tungsten = layer.emulate(image, style=4)
        """
        images = ops.cast(images, "float32")
        batch = ops.reshape(images, (-1, *images.shape[-3:]))
        draws = self._emulator.as_draws(style, batch.shape[0])
        return ops.reshape(self._emulator.render(batch, draws), images.shape)

    def recolor(self, image, seed):
        """One image, recolored with the layer's probability, for a tf.data pipeline.

        It keeps no state, so that it runs in parallel and gives an image by its seed alone.
        TensorFlow only. An image of known shape is computed with by compiled code.

        Args:
            image: float32 `[H, W, 3]`, in 0..255.
            seed: int `[2]`.

        Returns:
            float32 `[H, W, 3]`, in 0..255.

        Raises:
            UserError: under another backend of Keras.

        Example:

        >>> layer = nfl.layers.WhiteBalanceEmulation()
        >>> dataset.map(lambda image, index: layer.recolor(image, (seed, index)))
        """
        if keras.config.backend() != "tensorflow":
            raise UserError(
                f"recolor runs under Keras' TensorFlow backend, not {keras.config.backend()}; "
                "call the layer instead."
            )
        import tensorflow as tf

        image = tf.convert_to_tensor(image, tf.float32)
        # Whoever draws crops and angles from the same seed gets other numbers.
        own_seed = tf.random.fold_in(tf.convert_to_tensor(seed), _FOLD)
        uniform = tf.random.stateless_uniform((1, 3), own_seed)
        known = {"fuse": _compiled} if image.shape.is_fully_defined() else {}

        def rendered():
            draws = self._emulator.draw(uniform[:, 1:])
            return self._emulator.render(image[None], draws, **known)[0]

        return tf.cond(uniform[0, 0] < self.probability, rendered, lambda: image)

    def describe(self):
        """What the layer does with white balance, in a line of words for logs."""
        return f"white balance: {self._emulator.description}"

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "parameters": self.parameters,
            "probability": self.probability,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        # Keras' own would bury a UserError in pages of configuration.
        return cls(**config)


@functools.cache
def _compiled(function):
    import tensorflow as tf

    return tf.function(function, jit_compile=True)
