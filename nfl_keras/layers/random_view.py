"""Another view of the same photograph: moved, turned, of other size and colors."""

import math

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError

# Luma and two axes of color of analog television (NTSC). Grays have no color.
_RGB_TO_YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], "float32"
)
_YIQ_TO_RGB = np.linalg.inv(_RGB_TO_YIQ)

_LARGEST = {"translation": 1, "rotation": 180, "contrast": 1, "saturation": 1, "hue": 0.5}


@keras.saving.register_keras_serializable(package="nfl_keras")
class RandomView(keras.layers.Layer):
    """Shows each image of a batch in another way, while training only.

    Each image draws its own translation, scaling and rotation about its center, and whether it
    is mirrored, all of which is one bilinear sampling; past its border an image shows its
    reflection (the border pixel comes twice). Then its own contrast, saturation and hue, which
    are one linear map of its colors; what leaves 0..255 is clipped. All are drawn uniformly,
    the scaling by its logarithm.

    Args:
        translation: float in 0..1. Up to this share of height and of width, either way.
            Defaults to `0.1`.
        scaling: float >= 1. Sizes are multiplied by 1 / scaling to scaling. Defaults to `1.25`.
        rotation: float in 0..180, degrees either way. Defaults to `15.0`.
        mirror: bool, whether half of the images are mirrored. Defaults to `True`.
        contrast: float in 0..1. Distances from the image's mean color are multiplied by
            1 - contrast to 1 + contrast. Defaults to `0.2`.
        saturation: float in 0..1, likewise of distances from gray of the same luma. Defaults
            to `0.2`.
        hue: float in 0..0.5, turns of the circle of hues either way. Defaults to `0.02`.
        seed: int or `None`. Two layers of one seed draw the same. Defaults to `None`.
        **kwargs: as for `keras.layers.Layer`.

    Call arguments:
        inputs: `[B, H, W, 3]` in 0..255. Computed with in float32.
        training: bool. Without it, or if false, the input is returned as it is.

    Returns:
        A tensor of the input's shape, in the layer's compute dtype.

    Raises:
        UserError: for a strength out of its range.

    Example:

    >>> layer = nfl.layers.RandomView(rotation=30, hue=0.0, seed=0)
    >>> others = layer(images, training=True)
    """

    def __init__(
        self,
        translation=0.1,
        scaling=1.25,
        rotation=15.0,
        mirror=True,
        contrast=0.2,
        saturation=0.2,
        hue=0.02,
        seed=None,
        **kwargs,
    ):
        # Cast to bfloat16, pixels would be rounded before they are computed with.
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

    def call(self, inputs, training=False):
        if not training:
            return ops.cast(inputs, self.compute_dtype)
        return self.render(inputs, self.draw(inputs, self.seed_generator))

    def draw(self, images, seed):
        """What each image draws.

        Args:
            images: `[B, ...]`, of which only the number matters.
            seed: int or `keras.random.SeedGenerator`.

        Returns:
            float32 `[B, 8]`, uniform in 0..1.
        """
        return keras.random.uniform((ops.shape(images)[0], 8), dtype="float32", seed=seed)

    def render(self, images, draws):
        """Images as their draws say; nothing is drawn at random.

        Args:
            images: `[B, H, W, 3]`, in 0..255.
            draws: float32 `[B, 8]` in 0..1, of `draw`: across, down, scaling, rotation, mirror,
                contrast, saturation, hue. 0.5 changes nothing.

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
        """For each image, how its new pixels (x, y) go to old ones, `[B, 8]` as Keras wants it."""
        across, down, scaling, rotation, mirror = (2.0 * draw - 1.0 for draw in draws[:5])
        middle_y, middle_x = ((ops.cast(side, "float32") - 1.0) / 2.0 for side in (height, width))
        # From old to new, an image is mirrored, turned counterclockwise, scaled and moved.
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
        """For each image, the matrix `[B, 3, 3]` of saturation and hue, and the contrast `[B]`."""
        contrast, saturation, hue = (2.0 * draw - 1.0 for draw in draws[5:])
        angle = 2.0 * math.pi * self.hue * hue
        stretch = 1.0 + self.saturation * saturation
        cos, sin = stretch * ops.cos(angle), stretch * ops.sin(angle)
        zero, one = ops.zeros_like(angle), ops.ones_like(angle)
        turn = [[one, zero, zero], [zero, cos, -sin], [zero, sin, cos]]
        turn = ops.stack([ops.stack(row, axis=1) for row in turn], axis=1)
        matrix = ops.einsum("ij,bjk,kl->bil", _YIQ_TO_RGB, turn, _RGB_TO_YIQ)
        return matrix, 1.0 + self.contrast * contrast

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
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
