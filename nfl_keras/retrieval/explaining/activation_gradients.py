"""Defines a map of what a similarity depends on, where its parts are no sum over regions."""

import contextlib
import functools
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder
from nfl_keras.retrieval.explaining.as_float64 import as_float64
from nfl_keras.retrieval.explaining.gradients import gradients
from nfl_keras.typing import Tensor

_LAST = 48  # outputs of layers within the backbone that are looked at
_ONE_AT_A_TIME = threading.Lock()


def activation_gradients(embedder: Embedder, crops: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Computes the gradient of a similarity times the activations, at the last layer with places.

    That is the last layer within the backbone whose output has places (a square feature map, or
    tokens of a square) on which the similarity depends. Of a vision transformer with a class
    token it is in the last block, before the attention.

    Args:
        embedder: `Embedder`.
        crops: float32 `[crops, S, S, 3]`, of one photograph.
        other: float `[D]`, the embedding that it is compared with.

    Returns:
        float64 `[crops, R, R]`. The gradient is that of the cosine similarity to `other`.

    Raises:
        UserError: if no layer has places, or Keras' backend has no gradients.

    Reference: R. Selvaraju et al., Grad-CAM: visual explanations from deep networks via
    gradient-based localization, ICCV 2017.
    """
    images, other = ops.convert_to_tensor(crops), ops.convert_to_tensor(other, "float32")
    watched = _Watched(len(crops))
    with _ONE_AT_A_TIME, _outputs_through(embedder, watched):
        embedder(images, training=False)
        first = max(0, len(watched.seen) - _LAST)
        zeros = [ops.zeros(x.shape, x.dtype) for x in watched.seen[first:]]

        def similarity(changes: Any) -> tuple[Tensor, list[Tensor]]:
            watched.begin(first, changes)
            mean = ops.mean(embedder(images, training=False), axis=0)
            return ops.sum(mean * other) / ops.norm(mean), watched.seen[first:]

        slopes, activations = gradients(similarity, zeros) if zeros else ([], [])
    for slope, activation in zip(reversed(slopes), reversed(activations), strict=True):
        if slope is not None:
            products = as_float64(slope) * as_float64(activation)
            side = grid_side(products.shape)
            at_places = products.reshape(len(crops), -1, products.shape[-1])[:, -side * side :]
            if at_places.any():
                return at_places.sum(axis=-1).reshape(len(crops), side, side)
    raise UserError(
        f"no layer within the backbone {embedder.backbone.name!r} has places that its embedding "
        f"depends on, so that there is nothing to show on a photograph."
    )


def grid_side(shape: tuple[int, ...]) -> int:
    """Returns the places on each side of an output `[B, R, R, C]` or `[B, T, C]`, else 0.

    The last of the tokens are the square of places, those before it are others.
    """
    if len(shape) == 4 and shape[1] == shape[2] > 1:
        return shape[1]
    if len(shape) == 3 and shape[1] > 3:
        return math.isqrt(shape[1])
    return 0


class _Watched:
    """Remembers the outputs with places in the order of calls, and adds changes to the last ones.

    Args:
        batch: int, images in a batch. Outputs of other batches are left alone.
    """

    def __init__(self, batch: int) -> None:
        self.batch, self.thread = batch, threading.get_ident()
        self.begin(0, [])

    def begin(self, first: int, changes: list[Tensor]) -> None:
        """Begins a new pass, in which `changes` are added to the outputs from number `first` on."""
        self.first, self.changes = first, changes
        self.seen: list[Tensor] = []

    def __call__(self, output: Any) -> Any:
        shape = tuple(getattr(output, "shape", ()))
        if shape[:1] != (self.batch,) or not grid_side(shape):
            return output
        number = len(self.seen) - self.first
        if 0 <= number < len(self.changes):
            output = output + self.changes[number]
        self.seen.append(output)
        return output


@contextlib.contextmanager
def _outputs_through(embedder: Embedder, watched: _Watched) -> Iterator[None]:
    """Lets what the layers of the backbone return go through a function, in this thread."""
    layers = [
        layer
        for layer in embedder.backbone._flatten_layers(include_self=False)
        if "call" not in vars(layer)
    ]
    for layer in layers:
        layer.call = functools.partial(_call, watched, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _call(watched: _Watched, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    output = call(*args, **kwargs)
    return watched(output) if threading.get_ident() == watched.thread else output
