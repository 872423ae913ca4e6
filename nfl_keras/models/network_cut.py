"""Defines where an embedder's network is cut, below which nothing changes while it learns."""

import collections
import contextlib
import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self, cast

import keras
import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.embedder import Embedder
from nfl_keras.typing import Tensor


@dataclasses.dataclass(frozen=True)
class NetworkCut:
    """An embedder's network in two parts, the lower of which is frozen.

    Both parts consist of the embedder's own layers. What the upper part learns, the embedder
    learns, and it is saved, exported and evaluated as ever.

    Args:
        embedder: `Embedder`.
        lower: `keras.Model` from images `[B, S, S, 3]` in 0..255 to one tensor `[B, ...]`. None of
            its layers learns, draws at random, or has moving statistics.
        upper: `keras.Model` from that tensor to the pooled features `[B, C]`.
        last: str, name of the last layer of the lower part.

    Example:

    >>> from nfl_keras.models.network_cut import NetworkCut
    >>> pixels = keras.Input((16, 16, 3))
    >>> first = keras.layers.Conv2D(4, 3, name="first", trainable=False)
    >>> second = keras.layers.Conv2D(4, 3, name="second")
    >>> backbone = keras.Model(pixels, second(first(pixels)))
    >>> cut = NetworkCut.of(nfl.models.Embedder(backbone, 8, image_size=16))
    >>> cut.last, cut.lower.output_shape
    ('first', (None, 14, 14, 4))
    """

    embedder: Embedder
    lower: keras.Model
    upper: keras.Model
    last: str

    @classmethod
    def of(cls, embedder: Embedder) -> Self:
        """Cuts an embedder's network as late as one tensor holds all that its frozen layers give.

        Args:
            embedder: `Embedder`, its layers frozen as they are to stay.

        Returns:
            A `NetworkCut`.

        Raises:
            UserError: if the first layer with weights is not frozen, or no tensor holds all that
                the frozen layers give.
        """
        size, channels = embedder.image_size, embedder.input_shape[-1]
        images = keras.Input((size, size, channels), dtype="float32")
        whole = keras.Model(images, embedder.features(images, training=cast(bool, None)))
        opened: list[keras.layers.Layer] = []
        try:
            cut = _last_cut(images, whole, opened)
        except ValueError as error:  # Two layers of nested models have one name.
            raise UserError(f"cache_views cannot divide the network: {error}") from error
        while _is_frozen_in_part(cut.next):
            opened.append(cut.next)
            with contextlib.suppress(Exception):  # What a layer does may not be a graph of layers.
                deeper = _last_cut(images, whole, opened)
                if deeper.weights > cut.weights:
                    cut = deeper
                    continue
            break
        if cut.tensor is None:
            reason = f"the layer {cut.next.name!r} of the backbone {_why_not(cut.next)} and "
            reason += "only layers without weights stand before it"
            if cut.seen:
                reason = f"several tensors lead from them to the layer {cut.next.name!r}"
            raise UserError(
                f"the outputs of frozen layers cannot be computed once, since {reason}; freeze "
                f"more of the first layers with freeze_through, or leave out cache_views."
            )
        return cls(
            embedder,
            keras.Model(images, cut.tensor),
            keras.Model(cut.tensor, cut.end),
            cut.tensor._keras_history.operation.name,
        )

    def features(self, outputs: Tensor, training: bool = False) -> Tensor:
        """Computes the pooled features z from outputs of the lower part.

        Args:
            outputs: float `[B, ...]`, of any precision.
            training: bool.

        Returns:
            `[B, feature_dim]`, in the compute dtype.
        """
        return self.upper(ops.cast(outputs, self.upper.input.dtype), training=training)

    def fits(self, embedder: keras.Model) -> bool:
        """Returns whether another embedder, too, has the features that the upper part computes."""
        own = self.embedder
        if embedder is own:
            return True
        if getattr(embedder, "backbone", None) is not own.backbone:
            return False
        same = (embedder.image_size, embedder.pooling) == (own.image_size, own.pooling)
        weights = (e._pooling.get_weights() for e in (embedder, own))
        return same and all(map(np.array_equal, *weights))


class _Cut(NamedTuple):
    tensor: Tensor | None
    end: Tensor
    next: keras.layers.Layer
    weights: int
    seen: int


def _last_cut(images: Tensor, whole: Any, opened: Sequence[keras.layers.Layer]) -> _Cut:
    """Finds the last tensor that all paths lead through and below which all layers are fixed.

    It is `None` if none of these has weights. `next` is the first layer that is not fixed. The
    layers `opened` stand for the layers within them.
    """
    # The last layer stands for what comes after the features, which may all be frozen.
    end = keras.layers.Identity()(_inlined(whole, type(whole), opened)(images))
    graph = keras.Model(images, end)
    by_depth = graph._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    uses = collections.Counter(id(x) for node in nodes for x in node.input_tensors)
    tensors: dict[int, Tensor] = {}
    cut = _Cut(None, end, nodes[-1].operation, 0, 0)
    weights = 0
    for node in nodes[:-1]:
        if isinstance(node.operation, keras.layers.Layer):
            if _why_not(node.operation):
                return cut._replace(next=node.operation, seen=weights)
            weights += len(node.operation.weights)
        uses.subtract(id(x) for x in node.input_tensors)
        tensors |= {id(x): x for x in node.output_tensors}
        tensors = {key: x for key, x in tensors.items() if uses[key]}
        if len(tensors) == 1 and weights:
            cut = cut._replace(tensor=next(iter(tensors.values())), weights=weights)
    return cut


def _inlined(
    operation: Any, functional: Any, opened: Sequence[keras.layers.Layer]
) -> Callable[..., Any]:
    """Returns a function that calls the layers of an operation that is a graph of layers itself."""
    if any(operation is layer for layer in opened):
        return operation.call
    if isinstance(operation, keras.Sequential):
        operation = operation._functional
    if not hasattr(operation, "_run_through_graph") or type(operation).call is not functional.call:
        return operation
    inline = functools.partial(_inlined, functional=functional, opened=opened)

    def call(inputs: Tensor, **kwargs: Any) -> Tensor:
        return operation._run_through_graph(inputs, operation_fn=inline)

    return call


def _is_frozen_in_part(layer: keras.layers.Layer) -> bool:
    parts = [part for part in layer._flatten_layers(include_self=False) if part.weights]
    return not all(part.trainable for part in parts)


def _why_not(layer: keras.layers.Layer) -> str:
    """Says why a layer's outputs are not the same in each step, or `""` if they are."""
    for part in layer._flatten_layers():
        if getattr(part, "rate", len(part._seed_generators)):
            return "draws at random"
        if part.trainable and (part._trainable_variables or part._non_trainable_variables):
            return "is trained"
    return ""
