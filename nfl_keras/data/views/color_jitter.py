"""Defines random color changes of training views, as a TensorFlow graph for tf.data."""

import dataclasses

from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor

# The largest useful strengths. Stronger changes could make a picture black, gray or negative, or
# turn hues by more than a whole circle.
_LARGEST = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}


@dataclasses.dataclass(frozen=True)
class ColorJitter:
    """Random changes of saturation, hue, brightness and contrast, in this order.

    [NAFL] trains on views in changed colors and gives no strengths. The defaults are moderate,
    since color tells fine classes apart. A strength of 0 switches its change off.

    Args:
        brightness: float in 0..1. Adds one value to all pixels, up to this share of 255 either
            way. Defaults to `0.2`.
        contrast: float in 0..1. Multiplies the distances from each channel's mean by
            1 - contrast to 1 + contrast. Defaults to `0.2`.
        saturation: float in 0..1. Multiplies the saturation by 1 - saturation to
            1 + saturation. Defaults to `0.2`.
        hue: float in 0..0.5. Turns the hue by up to this share of the circle of hues either
            way. Defaults to `0.02`.

    Raises:
        UserError: if a strength is out of its range.

    Example:

    >>> jitter = nfl.data.ColorJitter(hue=0.0)
    >>> jitter.recolor(tf.ones((4, 4, 3)), seed=(0, 1)).shape
    TensorShape([4, 4, 3])

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.02

    def __post_init__(self) -> None:
        for name, largest in _LARGEST.items():
            strength = getattr(self, name)
            if not (isinstance(strength, int | float) and 0 <= strength <= largest):
                raise UserError(f"{name} must be a number in 0..{largest:g}, not {strength!r}.")

    def describe(self) -> str:
        """Returns the strengths in one line, for logs."""
        return "color jitter: " + ", ".join(f"{name} {getattr(self, name):g}" for name in _LARGEST)

    def recolor(self, image: Tensor, seed: Tensor) -> tf.Tensor:
        """Changes the colors of one photograph.

        Args:
            image: float32 `[H, W, 3]`, in 0..255.
            seed: int `[2]`. The same seed gives the same change.

        Returns:
            float32 `[H, W, 3]`, in 0..255.
        """
        seeds = tf.unstack(tf.random.split(tf.cast(seed, tf.int64), 4))
        image = image / 255
        # Changes that keep the range of pixels come first, so that pixels are clipped once.
        if self.saturation:
            factors = 1 - self.saturation, 1 + self.saturation
            image = tf.image.stateless_random_saturation(image, *factors, seeds[0])
        if self.hue:
            image = tf.image.stateless_random_hue(image, self.hue, seeds[1])
        if self.brightness:
            image = tf.image.stateless_random_brightness(image, self.brightness, seeds[2])
        if self.contrast:
            factors = 1 - self.contrast, 1 + self.contrast
            image = tf.image.stateless_random_contrast(image, *factors, seeds[3])
        return 255 * tf.clip_by_value(image, 0.0, 1.0)
