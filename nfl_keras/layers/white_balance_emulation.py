"""Defines a layer that changes the white balance of images at random."""

import functools
import os
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers.white_balance.planckian import PlanckianShift
from nfl_keras.layers.white_balance.published import PublishedEmulator
from nfl_keras.typing import Path, Tensor

# Folded into the seed of `recolor`, so that other draws by this seed differ: "wb" in ASCII.
_FOLD = 0x7762


@keras.saving.register_keras_serializable(package="nfl_keras")
class WhiteBalanceEmulation(keras.layers.Layer):
    """Gives images the white balance of another camera setting during training.

    With `probability`, each image of a batch independently gets one of ten renderings: five
    presets from tungsten to shade, each in two camera styles. The other images stay unchanged.

    With `parameters`, the layer renders as Afifi & Brown's emulator with the parameters that
    they published. Without, it approximates the emulator by a random shift of the light along
    the Planckian locus: it draws a camera setting between 2,850 and 7,500 K, uniformly in mired,
    with a tint of up to 0.005 in CIE 1960 uv, for a scene of 4,550 K. `describe` tells which of
    the two renderings the layer uses.

    Args:
        parameters: path of the folder with features.npy, mappingFuncs.npy, encoderWeights.npy
            and encoderBias.npy, or `None`. The constructor and `from_config` read the folder.
            Defaults to `None`.
        probability: float in 0..1. Defaults to `0.5`.
        seed: int or `None`. Two layers with one seed draw the same renderings. Defaults to
            `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[B, H, W, 3]` in 0..255, cast to float32.
        training: bool. If false, the input is returned unchanged. Defaults to `False`.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if `probability` is not in 0..1, or a file of `parameters` cannot be used.

    Example:

    >>> layer = nfl.layers.WhiteBalanceEmulation(seed=0)
    >>> layer.describe()
    'white balance: random shift along the Planckian locus (no published parameters given)'
    >>> layer(np.ones((2, 8, 8, 3), "float32"), training=True).shape
    TensorShape([2, 8, 8, 3])

    Reference: Afifi & Brown, What else can fool deep learning? Addressing color constancy
    errors on deep neural network performance, ICCV 2019; [NIFL] section 4,
    doi 10.1038/s41598-025-97528-9.
    """

    def __init__(
        self,
        parameters: Path | None = None,
        probability: float = 0.5,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Autocasting to bfloat16 would round the pixels first.
        super().__init__(autocast=False, **kwargs)
        if not 0 <= probability <= 1:
            raise UserError(f"probability must be in 0..1, not {probability}.")
        self.parameters = None if parameters is None else os.fspath(parameters)
        self.probability = probability
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True
        self._emulator: PlanckianShift | PublishedEmulator = (
            PlanckianShift() if self.parameters is None else PublishedEmulator(self.parameters)
        )

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
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

    def emulate(self, images: Tensor, style: Any) -> Tensor:
        """Renders images in one given style.

        Args:
            images: `[H, W, 3]` or `[B, H, W, 3]`, in 0..255.
            style: int or int `[B]` in 0..9: the presets fluorescent, shade, tungsten, cloudy
                and daylight, each in two camera styles. Without `parameters`, the light of the
                camera setting: a pair, or `[B, 2]`, of kelvin and distance from the Planckian
                locus (CIE 1960 uv, positive toward green).

        Returns:
            float32 tensor of the images' shape, in 0..255.

        Raises:
            UserError: if `style` is not a style.

        Example:

        >>> layer = nfl.layers.WhiteBalanceEmulation()
        >>> tungsten = layer.emulate(np.full((4, 4, 3), 128.0), style=(2850, 0.0))
        >>> red, green, blue = np.asarray(tungsten)[0, 0]
        >>> red < green < blue
        np.True_
        """
        images = ops.cast(images, "float32")
        batch = ops.reshape(images, (-1, *images.shape[-3:]))
        draws = self._emulator.as_draws(style, batch.shape[0])
        return ops.reshape(self._emulator.render(batch, draws), images.shape)

    def recolor(self, image: Tensor, seed: Tensor) -> Tensor:
        """Recolors one image of a tf.data pipeline, with the layer's probability.

        The result depends only on image and seed, so that calls may run in parallel. The method
        needs Keras' TensorFlow backend. It compiles the rendering of images with a static shape.

        Args:
            image: float32 `[H, W, 3]`, in 0..255.
            seed: int `[2]`.

        Returns:
            float32 `[H, W, 3]`, in 0..255.

        Raises:
            UserError: under another backend of Keras.

        Example:

        >>> layer = nfl.layers.WhiteBalanceEmulation()
        >>> layer.recolor(np.full((4, 4, 3), 128.0), seed=(0, 1)).shape
        TensorShape([4, 4, 3])
        """
        if keras.config.backend() != "tensorflow":
            raise UserError(
                f"recolor runs under Keras' TensorFlow backend, not {keras.config.backend()}; "
                "call the layer instead."
            )
        import tensorflow as tf

        image = tf.convert_to_tensor(image, tf.float32)
        own_seed = tf.random.fold_in(tf.convert_to_tensor(seed), _FOLD)
        uniform = tf.random.stateless_uniform((1, 3), own_seed)
        known = {"fuse": _compiled} if image.shape.is_fully_defined() else {}

        def rendered():
            draws = self._emulator.draw(uniform[:, 1:])
            return self._emulator.render(image[None], draws, **known)[0]

        return tf.cond(uniform[0, 0] < self.probability, rendered, lambda: image)

    def describe(self) -> str:
        """Describes the layer's rendering in one line for logs."""
        return f"white balance: {self._emulator.description}"

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "parameters": self.parameters,
            "probability": self.probability,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WhiteBalanceEmulation":
        # The method of Keras would add pages of configuration to a UserError.
        return cls(**config)


@functools.cache
def _compiled(function: Callable) -> Callable:
    import tensorflow as tf

    return tf.function(function, jit_compile=True)
