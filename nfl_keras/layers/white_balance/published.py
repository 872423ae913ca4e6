"""Defines Afifi & Brown's white-balance emulator with the parameters that they published."""

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path, Tensor

NUM_STYLES = 10

_SHAPES = {
    "features.npy": (1797, 55),
    "mappingFuncs.npy": (17970, 9, 3),
    "encoderWeights.npy": (10800, 55),
    "encoderBias.npy": (10800, 1),
}
_NEIGHBORS = 25
_SIGMA = 0.25
_BINS = 60
_BIN_WIDTH = 6.4 / _BINS
_LARGEST_AREA = 202_500
_IDENTITY = np.eye(9, 3, dtype="float32")


class PublishedEmulator:
    """A rendering as by a camera with another white-balance preset and style.

    The emulator encodes the chromaticity histogram of an image as 55 numbers, finds the 25
    nearest of 1,797 training images, and maps the image's colors by the mean of their polynomial
    mappings, weighted by distance.

    The method is undefined if one of the image's three histograms is empty, as when all pixels
    are black or have one saturated color. Such an image stays unchanged. The authors do not say
    how they shrink images above 202,500 pixels for the histogram. This class uses antialiased
    bilinear sampling.

    Args:
        folder: path of the folder with features.npy, mappingFuncs.npy, encoderWeights.npy and
            encoderBias.npy.

    Raises:
        UserError: if a file is missing, or does not hold finite numbers of its shape.

    Reference: Afifi & Brown, What else can fool deep learning? Addressing color constancy
    errors on deep neural network performance, ICCV 2019.
    """

    def __init__(self, folder: Path) -> None:
        arrays = [_load(local_path(folder), name, shape) for name, shape in _SHAPES.items()]
        self._features, mappings, self._encoder_weights, bias = arrays
        self._mappings = mappings.reshape(len(mappings), -1)
        self._encoder_bias = bias[:, 0]
        self.description = f"emulator of Afifi & Brown with the parameters in {folder}"

    def draw(self, uniform: Tensor) -> Tensor:
        """Turns numbers `[B, 2]`, uniform in 0..1, into styles int32 `[B]`."""
        return ops.cast(ops.floor(uniform[:, 0] * NUM_STYLES), "int32")

    def as_draws(self, style: Any, count: int) -> Tensor:
        """Turns a style, or `[count]` styles, in 0..9 into draws int32 `[count]`.

        Raises:
            UserError: if `style` is not an integer in 0..9.
        """
        style = np.asarray(style)
        if style.dtype.kind not in "iu" or np.any((style < 0) | (style >= NUM_STYLES)):
            raise UserError(f"a style must be an integer in 0..{NUM_STYLES - 1}, not {style}.")
        return ops.broadcast_to(ops.cast(style, "int32"), (count,))

    def render(
        self,
        images: Tensor,
        styles: Tensor,
        fuse: Callable[[Callable], Callable] = lambda function: function,
    ) -> Tensor:
        """Renders images in other styles.

        Args:
            images: float32 `[B, H, W, 3]`, in 0..255.
            styles: int32 `[B]`, in 0..9.
            fuse: function that compiles a function of tensors. Defaults to no compilation.

        Returns:
            float32 `[B, H, W, 3]`, in 0..255.
        """
        return fuse(_apply)(images, self.mappings(images, styles, fuse))

    def mappings(
        self,
        images: Tensor,
        styles: Tensor,
        fuse: Callable[[Callable], Callable] = lambda function: function,
    ) -> Tensor:
        """Computes each image's polynomial mapping, float32 `[B, 9, 3]`, of pixels in 0..1."""
        histograms, defined = _histograms(images, fuse)
        centered = ops.subtract(histograms, self._encoder_bias)
        features = ops.matmul(centered, self._encoder_weights)
        distances = ops.sum(ops.subtract(features[:, None], self._features) ** 2, axis=-1)
        nearness, neighbors = ops.top_k(-distances, _NEIGHBORS)
        weights = ops.softmax(nearness / (2 * _SIGMA**2), axis=-1)
        # The published program counts neighbors from 1: neighbor i gets the mapping of neighbor
        # i - 1, and the first neighbor gets the mapping of the last.
        rows = (ops.cast(neighbors, "int32") - 1) * NUM_STYLES + styles[:, None]
        nearest = ops.take(self._mappings, rows % len(self._mappings), axis=0)
        mappings = ops.sum(weights[..., None] * nearest, axis=1)
        mappings = ops.reshape(mappings, (-1, *_IDENTITY.shape))
        return ops.where(defined[:, None, None], mappings, _IDENTITY)


def _load(folder, name, shape):
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as file:
            array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "it is not an array of NumPy"
        raise UserError(
            f"{path} cannot be read ({reason}); parameters must name the folder that holds "
            f"{', '.join(_SHAPES)} of Afifi & Brown, ICCV 2019."
        ) from error
    if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype.kind not in "fiu":
        found = f"{array.shape} of {array.dtype}" if isinstance(array, np.ndarray) else "an archive"
        raise UserError(f"{path} must hold {shape} numbers, not {found}.")
    if not np.all(np.isfinite(array)):
        raise UserError(f"{path} holds numbers that are not finite.")
    return np.ascontiguousarray(array, "float32")


def _histograms(images, fuse):
    """Computes histograms `[B, 10800]`, and whether none of an image's three is empty, `[B]`."""
    bins, weights = fuse(_binned)(_shrunk(images))
    sums = ops.segment_sum(
        ops.reshape(weights, (-1,)),
        ops.reshape(bins, (-1,)),
        num_segments=ops.shape(images)[0] * 3 * _BINS**2,
    )
    sums = ops.reshape(sums, (-1, 3, _BINS**2))
    totals = ops.sum(sums, axis=-1, keepdims=True)
    histograms = ops.sqrt(sums / ops.where(totals > 0, totals, 1.0))
    return ops.reshape(histograms, (-1, 3 * _BINS**2)), ops.all(totals > 0, axis=(1, 2))


def _shrunk(images):
    height, width = images.shape[1:3]
    if height is None or width is None:
        raise UserError(
            "white-balance emulation with published parameters needs images whose height and "
            "width are known; resize them to one size first."
        )
    if height * width <= _LARGEST_AREA:
        return images
    scale = math.sqrt(_LARGEST_AREA / (height * width))
    size = (max(int(height * scale), 1), max(int(width * scale), 1))
    return ops.image.resize(images, size, antialias=True, data_format="channels_last")


def _binned(images):
    """Computes each pixel's bin in its image's three histograms and its weight, `[B, 3, H, W]`."""
    usable = ops.all(images > 0, axis=-1)
    logs = ops.log(ops.where(usable[..., None], images, 1.0))
    intensities = ops.where(usable, ops.sqrt(ops.sum(images**2, axis=-1)), 0.0)
    bins, weights = [], []
    for channel in range(3):
        first, second = (other for other in range(3) if other != channel)
        row, column = (
            ops.floor((logs[..., channel] - logs[..., other]) / _BIN_WIDTH + (_BINS + 1) / 2)
            for other in (second, first)
        )
        inside = ops.logical_and(ops.minimum(row, column) >= 0, ops.maximum(row, column) < _BINS)
        bins.append(ops.where(inside, row * _BINS + column, 0.0))
        weights.append(ops.where(inside, intensities, 0.0))
    bins = ops.cast(ops.stack(bins, axis=1), "int32")
    histograms = ops.reshape(ops.arange(3 * ops.shape(images)[0]), (-1, 3, 1, 1))
    return bins + _BINS**2 * histograms, ops.stack(weights, axis=1)


def _apply(images, mappings):
    red, green, blue = (images[..., channel, None] / 255 for channel in range(3))
    of = [mappings[:, None, None, row] for row in range(9)]
    rendered = (
        red * (of[0] + of[3] * red + of[6] * green + of[7] * blue)
        + green * (of[1] + of[4] * green + of[8] * blue)
        + blue * (of[2] + of[5] * blue)
    )
    return 255 * ops.clip(rendered, 0.0, 1.0)
