"""Defines how far the places of a feature map lie off the cells that an image is divided into."""

import math
import weakref
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from nfl_keras.models import Embedder
from nfl_keras.retrieval.explaining.as_float64 import as_float64
from nfl_keras.retrieval.explaining.gradients import gradients
from nfl_keras.typing import Tensor

_IMAGES = 4
_KNOWN: weakref.WeakKeyDictionary[keras.Model, float] = weakref.WeakKeyDictionary()


def place_offset(embedder: Embedder) -> float:
    """Measures how far the places of a backbone's output lie right of and below their cells.

    Convolutions with a stride look at one side more than at the other, by how they are padded:
    after several, the first place may look at the corner of the image, half a cell up and left of
    the middle of the first cell. The offset is that of the center of mass of the squared gradient
    of the middle places by noise, in cells, rounded to a half. It is measured once for an embedder.

    Args:
        embedder: `Embedder` whose output has at least 2 x 2 square places.

    Returns:
        float, -0.5, 0.0 or 0.5.

    Example:

    >>> from nfl_keras.retrieval.explaining.place_offset import place_offset
    >>> pixels = keras.Input((32, 32, 3))
    >>> patches = keras.layers.Conv2D(5, 4, strides=4)(pixels)
    >>> place_offset(nfl.models.Embedder(keras.Model(pixels, patches), image_size=32))
    0.0

    Reference: W. Luo et al., Understanding the effective receptive field in deep convolutional
    neural networks, NeurIPS 2016.
    """
    if embedder.backbone not in _KNOWN:
        _KNOWN[embedder.backbone] = _measured(embedder)
    return _KNOWN[embedder.backbone]


def _measured(embedder: Embedder) -> float:
    size, prefix = embedder.image_size, embedder.get_layer("features").prefix_tokens
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 255, (_IMAGES, size, size, 3)).astype("float32")

    def middle(inputs: Sequence[Tensor]) -> tuple[Tensor, int]:
        maps = embedder.maps(inputs[0])
        if len(maps.shape) == 3:
            side = math.isqrt(maps.shape[1] - prefix)
            maps = ops.reshape(maps[:, prefix:], (_IMAGES, side, side, -1))
        side = maps.shape[1]
        center = slice((side - 1) // 2, side // 2 + 1)
        weights = ops.cast(rng.normal(size=maps.shape[-1]), maps.dtype)
        return ops.sum(maps[:, center, center] * weights), side

    (slope,), side = gradients(middle, [ops.convert_to_tensor(noise)])
    seen = (as_float64(slope) ** 2).sum(axis=(0, 3))
    middles = np.arange(size) + 0.5 - size / 2
    mass = max(seen.sum(), 1e-300)
    down, right = (seen.sum(axis=1) @ middles / mass, seen.sum(axis=0) @ middles / mass)
    return float(np.clip(np.rint((down + right) * side / size) / 2, -0.5, 0.5)) + 0.0
