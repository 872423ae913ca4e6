"""One photograph as it is and under the noise that models are taught with."""

import io
import math

import matplotlib
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise, WindowShuffle

GAP, TITLE = 12, 26  # pixels between pictures, and for the words below each
_MOST_IN_A_ROW = 6
_LEAST_SIDE = 160  # pixels that the words below a picture need
_TIMES, _SIGMA = "\N{MULTIPLICATION SIGN}", "\N{GREEK SMALL LETTER SIGMA}"
_POINTS_PER_INCH = 72  # a pixel is a point, so that fonts are sized in pixels


def noise_grid(image, windows=(2, 4, 8, 16, 32), stddevs=(), seed=0):
    """Draws a photograph beside what noise makes of it, in the manner of [NAFL] Fig. 3.

    The noise is that of `nfl.layers.WindowShuffle` and `nfl.layers.GaussianInputNoise`. Pictures
    are drawn pixel for pixel, and those of less than 160 pixels enlarged by a whole number,
    without smoothing. Gaussian noise is not clipped for a model, but is for the eye.

    Args:
        image: `[S, S, 3]`, pixels in 0..255.
        windows: sequence of int, one picture for each window. Defaults to `(2, 4, 8, 16, 32)`.
        stddevs: sequence of float, one picture of Gaussian noise for each standard deviation, for
            images in 0..1. Defaults to none.
        seed: int, of the noise. Defaults to `0`.

    Returns:
        bytes, a PNG. The same arguments give the same picture.

    Raises:
        UserError: if a window or standard deviation cannot be.

    Example:

    >>> pathlib.Path("noise.png").write_bytes(nfl.report.noise_grid(image, windows=[8, 56]))
    """
    pictures = [("as it is", image)]
    for window in windows:
        layer = WindowShuffle(window, seed, dtype="float32")
        pictures.append((f"window {window} {_TIMES} {window}", _under(layer, image)))
    for stddev in stddevs:
        if not 0 <= stddev < math.inf:
            raise UserError(f"the standard deviation of noise must be 0 or more, not {stddev}.")
        layer = GaussianInputNoise(255.0 * stddev, seed, dtype="float32")
        pictures.append((f"Gaussian noise, {_SIGMA} = {stddev:g}", _under(layer, image)))
    return _drawn([(title, _for_the_eye(pixels)) for title, pixels in pictures])


def _under(layer, image):
    noisy = layer(np.asarray(image, "float32")[None], training=True)
    return ops.convert_to_numpy(noisy)[0]


def _for_the_eye(pixels):
    pixels = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    enlarged = math.ceil(_LEAST_SIDE / len(pixels))
    return pixels.repeat(enlarged, axis=0).repeat(enlarged, axis=1)


def _drawn(pictures):
    """The pictures in rows of nearly equal length, their titles below them."""
    side = len(pictures[0][1])
    rows = math.ceil(len(pictures) / _MOST_IN_A_ROW)
    columns = math.ceil(len(pictures) / rows)
    width = GAP + columns * (side + GAP)
    height = GAP + rows * (side + TITLE)
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # not in a style that the user has set for figures
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
