"""Color changes of training views, as TensorFlow graphs for tf.data."""

import dataclasses

import tensorflow as tf

from nfl_keras.errors import UserError

# The largest strength that makes sense: beyond it a picture could come out black, gray or
# negative, or the circle of hues would be gone round twice.
_LARGEST = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.5}


@dataclasses.dataclass(frozen=True)
class ColorJitter:
    """Random changes of saturation, hue, brightness and contrast, in this order.

    [NAFL] trains on views of changed color and gives no strengths. These are moderate, since
    color tells fine classes apart. A strength of 0 leaves its change out.

    Args:
        brightness: float in 0..1. The same value, up to this share of 255 either way, is
            added to all pixels. Defaults to `0.2`.
        contrast: float in 0..1. Distances from each channel's mean are multiplied by
            1 - contrast to 1 + contrast. Defaults to `0.2`.
        saturation: float in 0..1, likewise of the saturation. Defaults to `0.2`.
        hue: float in 0..0.5, turns of the circle of hues either way. Defaults to `0.02`.

    Raises:
        UserError: for a strength out of its range.

    Example:

    >>> view = ColorJitter(hue=0.0).recolor(view, seed=(0, 1))

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.02

    def __post_init__(self):
        for name, largest in _LARGEST.items():
            strength = getattr(self, name)
            if not (isinstance(strength, int | float) and 0 <= strength <= largest):
                raise UserError(f"{name} must be a number in 0..{largest:g}, not {strength!r}.")

    def describe(self):
        """The strengths in one line, for logs."""
        return "color jitter: " + ", ".join(f"{name} {getattr(self, name):g}" for name in _LARGEST)

    def recolor(self, image, seed):
        """Changes the colors of one photograph.

        Args:
            image: float32 `[H, W, 3]`, in 0..255.
            seed: int `[2]`. The same seed changes colors alike.

        Returns:
            float32 `[H, W, 3]`, in 0..255.
        """
        seeds = tf.unstack(tf.random.split(tf.cast(seed, tf.int64), 4))
        image = image / 255
        # Changes that keep to the range come first, so that it is clipped once.
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
