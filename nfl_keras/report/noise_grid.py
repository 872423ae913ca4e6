"""A picture of one photograph with and without the noise of training."""

import io
import math
from collections.abc import Sequence

import keras
import matplotlib
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, WindowShuffle

GAP, TITLE = 12, 26  # pixels between pictures, and for the title below each
_MOST_IN_A_ROW = 6
_LEAST_SIDE = 160  # pixels that a title needs
_TIMES, _SIGMA = "\N{MULTIPLICATION SIGN}", "\N{GREEK SMALL LETTER SIGMA}"
_POINTS_PER_INCH = 72  # one pixel is one point, so that font sizes are in pixels


def noise_grid(
    image: np.ndarray,
    windows: Sequence[int] = (2, 4, 8, 16, 32),
    stddevs: Sequence[float] = (),
    seed: int = 0,
) -> bytes:
    """Draws a photograph beside its noisy versions.

    `nfl.layers.WindowShuffle` and `nfl.layers.GaussianInputNoise` make the noise. One pixel of
    the photograph is one pixel of the picture. A photograph of less than 160 pixels is enlarged
    by a whole factor, without smoothing. Pixels beyond 0..255 are clipped for display; a model
    sees them unclipped.

    Args:
        image: `[S, S, 3]`, pixels in 0..255.
        windows: sequence of int, window sides in pixels, one picture each. Defaults to
            `(2, 4, 8, 16, 32)`.
        stddevs: sequence of float, standard deviations of Gaussian noise for images in 0..1, one
            picture each. Defaults to none.
        seed: int, seed of the noise. Defaults to `0`.

    Returns:
        bytes, a PNG. The same arguments give the same picture.

    Raises:
        UserError: if a window is not a whole number above 0, or a standard deviation is negative
            or not finite.

    Example:

    >>> from nfl_keras.report import noise_grid
    >>> image = np.random.default_rng(0).uniform(0, 255, (160, 160, 3))
    >>> png = noise_grid(image, windows=[8, 56], stddevs=[0.1])
    >>> png[1:4]
    b'PNG'

    Reference: [NAFL], Fig. 3.
    """
    pictures = [("original", image)]
    for window in windows:
        layer = WindowShuffle(window, seed, dtype="float32")
        pictures.append((f"window {window} {_TIMES} {window}", _noisy(layer, image)))
    for stddev in stddevs:
        if not 0 <= stddev < math.inf:
            raise UserError(f"the standard deviation of noise must be 0 or more, not {stddev}.")
        layer = GaussianInputNoise(255.0 * stddev, seed, dtype="float32")
        pictures.append((f"Gaussian noise, {_SIGMA} = {stddev:g}", _noisy(layer, image)))
    return _draw([(title, _displayable(pixels)) for title, pixels in pictures])


def _noisy(layer: keras.Layer, image: np.ndarray) -> np.ndarray:
    noisy = layer(np.asarray(image, "float32")[None], training=True)
    return ops.convert_to_numpy(noisy)[0]


def _displayable(pixels: np.ndarray) -> np.ndarray:
    pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    enlarged = math.ceil(_LEAST_SIDE / len(pixels))
    return pixels.repeat(enlarged, axis=0).repeat(enlarged, axis=1)


def _draw(pictures: Sequence[tuple[str, np.ndarray]]) -> bytes:
    """Draws pictures in rows of nearly equal length, with their titles below them."""
    side = len(pictures[0][1])
    rows = math.ceil(len(pictures) / _MOST_IN_A_ROW)
    columns = math.ceil(len(pictures) / rows)
    width = GAP + columns * (side + GAP)
    height = GAP + rows * (side + TITLE)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # the user's own style does not apply
        size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
        figure = Figure(figsize=size, dpi=_POINTS_PER_INCH, facecolor="white")
        for place, (title, pixels) in enumerate(pictures):
            row, column = divmod(place, columns)
            left = GAP + column * (side + GAP)
            bottom = height - GAP - row * (side + TITLE) - side
            figure.figimage(pixels, left, bottom)
            middle = (left + side / 2) / width
            top = (bottom - 5) / height
            figure.text(middle, top, title, ha="center", va="top", fontsize=12)
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=_POINTS_PER_INCH, metadata={"Software": None})
    return png.getvalue()
