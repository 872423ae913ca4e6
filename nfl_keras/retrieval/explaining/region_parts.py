"""Defines what each region of a photograph adds to its embedding."""

import math

import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import Pooling
from nfl_keras.models import Embedder
from nfl_keras.retrieval.explaining.as_float64 import as_float64
from nfl_keras.typing import Tensor

ADDITIVE = ("mean", "max", "gem")


def region_parts(embedder: Embedder, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divides the embedding of a photograph into a sum over the regions of its crops.

    A region is one place of the backbone's feature maps, or one token. With mean pooling,
    `f = W mean(x) + b` is the sum of `(W x + b) / R` over R regions, exactly. Dividing by the
    norms of the crops' f and of the mean over crops keeps it a sum. With max and GeM pooling, each
    channel of z is divided by the gradient of pooling times x. That adds up as well, since both are
    homogeneous of degree 1, but what a region adds then depends on the others. A neck is part of W
    and b.

    Args:
        embedder: `Embedder` with pooling `"mean"`, `"max"` or `"gem"`.
        crops: float32 `[crops, S, S, 3]`, of one photograph.

    Returns:
        `(parts, embedding)`: float64 `[crops, R, R, D]`, regions of each crop, whose sum is the
        embedding; and float64 `[D]`, a unit vector, see `nfl.retrieval.embed`.

    Raises:
        UserError: if the backbone's tokens are not those of a square.

    Reference: A. Stylianou, R. Souvenir, R. Pless, Visualizing deep similarity networks, WACV 2019.
    """
    maps = embedder.maps(ops.convert_to_tensor(crops))
    pool = embedder.get_layer("features")
    pooled = pool(maps)
    units = ops.convert_to_numpy(embedder.project(pooled)).astype(np.float64)
    places = _places(maps, pool)
    side = math.isqrt(places.shape[1])
    if side * side != places.shape[1]:
        raise UserError(
            f"the backbone {embedder.backbone.name!r} gives {places.shape[1]} tokens, which are "
            f"no square of regions; only square ones can be shown on a photograph."
        )
    parts = _shares(places, pool)
    bias = np.zeros(1)
    if embedder.embedding_dim is not None:
        projection = embedder.get_layer("projection")
        parts = parts @ as_float64(projection.kernel)
        bias = as_float64(projection.bias)
    if embedder.neck:
        neck = embedder.get_layer("neck")
        scale = as_float64(neck.gamma) / np.sqrt(as_float64(neck.moving_variance) + neck.epsilon)
        parts = parts * scale
        bias = (bias - as_float64(neck.moving_mean)) * scale
    parts /= np.linalg.norm(parts.sum(axis=1) + bias, axis=1)[:, None, None]
    # The bias, and what low precision leaves, belong to no region more than to another.
    parts += (units - parts.sum(axis=1))[:, None] / places.shape[1]
    mean = units.mean(axis=0)
    norm = np.linalg.norm(mean)
    parts = parts.reshape(len(crops), side, side, -1) / (len(crops) * norm)
    return parts, mean / norm


def _places(maps: Tensor, pool: Pooling) -> np.ndarray:
    """Returns what is pooled, float64 `[crops, R * R, C]`."""
    places = as_float64(maps)
    if places.ndim == 3:
        return places[:, pool.prefix_tokens :]
    return places.reshape(len(places), -1, places.shape[-1])


def _shares(places: np.ndarray, pool: Pooling) -> np.ndarray:
    """Divides each channel of z among the places, `[crops, R * R, C]`."""
    if pool.method == "mean":
        return places / places.shape[1]
    if pool.method == "max":
        largest = places == places.max(axis=1, keepdims=True)
        return places * largest / largest.sum(axis=1, keepdims=True)
    exponent = float(ops.convert_to_numpy(pool.exponent))
    powers = np.maximum(places, 1e-6) ** exponent
    mean = powers.mean(axis=1, keepdims=True)
    return mean ** (1 / exponent - 1) * powers / places.shape[1]
