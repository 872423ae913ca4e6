"""Defines a layer that moves, turns, scales and recolors images at random."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# YIQ of analog television (NTSC): luma and two axes of color, which are 0 for grays.
_RGB_TO_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], "float32"
)
_YIQ_TO_RGB = np.linalg.inv(_RGB_TO_YIQ)

_LARGEST = {"translation": 1, "rotation": 180, "contrast": 1, "saturation": 1, "hue": 0.5}


@keras.saving.register_keras_serializable(package="nfl_keras")
class RandomView(keras.layers.Layer):
    """Changes the geometry and the colors of each image of a batch during training.

    Each image draws its own translation, scaling, rotation about its center and mirroring. One
    bilinear sampling applies them together, and fills the outside of an image with its
    reflection (the border pixel comes twice). Each image also draws its own contrast, saturation
    and hue. One linear map of the colors applies them together and clips the result to 0..255.
    All draws are uniform; the scaling is uniform in its logarithm.

    Args:
        translation: float in 0..1, largest shift as a fraction of height and of width, in both
            directions. Defaults to `0.1`.
        scaling: float >= 1. The layer multiplies sizes by 1 / scaling to scaling. Defaults to
            `1.25`.
        rotation: float in 0..180, largest angle in degrees, in both directions. Defaults to
            `15.0`.
        mirror: bool, whether to mirror half of the images. Defaults to `True`.
        contrast: float in 0..1. The layer multiplies distances from the image's mean color by
            1 - contrast to 1 + contrast. Defaults to `0.2`.
        saturation: float in 0..1. The layer multiplies distances from the gray of the same luma
            by 1 - saturation to 1 + saturation. Defaults to `0.2`.
        hue: float in 0..0.5, largest turn of the circle of hues, in both directions. Defaults to
            `0.02`.
        seed: int or `None`. Two layers with one seed draw the same views. Defaults to `None`.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: `[B, H, W, 3]` in 0..255, cast to float32.
        training: bool. If false, the input is returned unchanged. Defaults to `False`.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: if an argument is outside its range.

    Example:

    >>> layer = nfl.layers.RandomView(rotation=30, hue=0.0, seed=0)
    >>> layer(np.ones((2, 8, 8, 3), "float32"), training=True).shape
    TensorShape([2, 8, 8, 3])
    """

    def __init__(
        self,
        translation: float = 0.1,
        scaling: float = 1.25,
        rotation: float = 15.0,
        mirror: bool = True,
        contrast: float = 0.2,
        saturation: float = 0.2,
        hue: float = 0.02,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Autocasting to bfloat16 would round the pixels first.
        super().__init__(autocast=False, **kwargs)
        self.translation = translation
        self.scaling = scaling
        self.rotation = rotation
        self.mirror = mirror
        self.contrast = contrast
        self.saturation = saturation
        self.hue = hue
        self.seed = seed
        for name, largest in _LARGEST.items():
            strength = getattr(self, name)
            if not 0 <= strength <= largest:
                raise UserError(f"{name} must be in 0..{largest:g}, not {strength}.")
        if not 1 <= scaling < math.inf:
            raise UserError(f"scaling must be 1 or more, not {scaling}.")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if not training:
            return ops.cast(inputs, self.compute_dtype)
        return self.render(inputs, self.draw(inputs, self.seed_generator))

    def draw(self, images: Tensor, seed: int | keras.random.SeedGenerator) -> Tensor:
        """Draws the random numbers of each image.

        Args:
            images: `[B, ...]`. The draws depend only on B.
            seed: int or `keras.random.SeedGenerator`.

        Returns:
            float32 `[B, 8]`, uniform in 0..1.
        """
        return keras.random.uniform((ops.shape(images)[0], 8), dtype="float32", seed=seed)

    def render(self, images: Tensor, draws: Tensor) -> Tensor:
        """Changes images by given draws.

        Args:
            images: `[B, H, W, 3]`, in 0..255.
            draws: float32 `[B, 8]` in 0..1, as `draw` returns them: across, down, scaling,
                rotation, mirror, contrast, saturation, hue. A draw of 0.5 changes nothing.

        Returns:
            Tensor of the images' shape, in the layer's compute dtype.
        """
        images = ops.cast(images, "float32")
        draws = ops.unstack(ops.cast(draws, "float32"), 8, axis=1)
        moved = ops.image.affine_transform(
            images,
            self._geometry(draws, *ops.shape(images)[1:3]),
            interpolation="bilinear",
            fill_mode="reflect",
            data_format="channels_last",
        )
        matrix, contrast = self._colors(draws)
        mean = ops.mean(moved, axis=(1, 2), keepdims=True)
        contrast = contrast[:, None, None, None]
        changed = ops.einsum("bhwc,bdc->bhwd", mean + contrast * (moved - mean), matrix)
        return ops.cast(ops.clip(changed, 0.0, 255.0), self.compute_dtype)

    def _geometry(self, draws, height, width):
        """Returns each image's map from new pixels (x, y) to old ones, Keras' `[B, 8]`."""
        across, down, scaling, rotation, mirror = (2.0 * draw - 1.0 for draw in draws[:5])
        middle_y, middle_x = ((ops.cast(side, "float32") - 1.0) / 2.0 for side in (height, width))
        # The order from old to new: mirror, turn counterclockwise, scale, move.
        angle = math.radians(self.rotation) * rotation
        shrink = self.scaling**-scaling
        cos, sin = shrink * ops.cos(angle), shrink * ops.sin(angle)
        sign = ops.where(mirror > 0.0, -1.0, 1.0) if self.mirror else 1.0
        center_x = middle_x + self.translation * ops.cast(width, "float32") * across
        center_y = middle_y + self.translation * ops.cast(height, "float32") * down
        rows = [
            [sign * cos, -sign * sin, middle_x - sign * (cos * center_x - sin * center_y)],
            [sin, cos, middle_y - sin * center_x - cos * center_y],
        ]
        zero = ops.zeros_like(angle)
        return ops.stack([*rows[0], *rows[1], zero, zero], axis=1)

    def _colors(self, draws):
        """Returns each image's matrix `[B, 3, 3]` of saturation and hue, and its contrast `[B]`."""
        contrast, saturation, hue = (2.0 * draw - 1.0 for draw in draws[5:])
        angle = 2.0 * math.pi * self.hue * hue
        stretch = 1.0 + self.saturation * saturation
        cos, sin = stretch * ops.cos(angle), stretch * ops.sin(angle)
        zero, one = ops.zeros_like(angle), ops.ones_like(angle)
        turn = [[one, zero, zero], [zero, cos, -sin], [zero, sin, cos]]
        turn = ops.stack([ops.stack(row, axis=1) for row in turn], axis=1)
        matrix = ops.einsum("ij,bjk,kl->bil", _YIQ_TO_RGB, turn, _RGB_TO_YIQ)
        return matrix, 1.0 + self.contrast * contrast

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "translation": self.translation,
            "scaling": self.scaling,
            "rotation": self.rotation,
            "mirror": self.mirror,
            "contrast": self.contrast,
            "saturation": self.saturation,
            "hue": self.hue,
            "seed": self.seed,
        }
