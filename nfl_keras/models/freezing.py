"""Freezes layers of a backbone, and makes its BatchNormalization common to all replicas."""

import re
from collections.abc import Sequence

import keras

from nfl_keras.errors import UserError


def freeze_through(backbone: keras.Model, prefix: str) -> None:
    """Freezes a backbone up to and including the last layer whose name starts with `prefix`.

    A layer within another is named with it, such as `"encoder/layers_7"` for the eighth block of
    a transformer: the layers before `encoder` and the first eight blocks are frozen. A number at
    the end of `prefix` is a whole one: `"layers_1"` does not stand for `layers_10`.

    Frozen BatchNormalization layers also keep their moving statistics. Call it before
    `compile()`.

    Args:
        backbone: `keras.Model` whose layers stand in the order in which data flows.
        prefix: str, such as `"block5"`.

    Raises:
        UserError: if no layer has a name that starts with `prefix`.

    Example:

    >>> pixels = keras.Input((8, 8, 3))
    >>> first = keras.layers.Conv2D(4, 3, name="block1_conv")
    >>> second = keras.layers.Conv2D(4, 3, name="block2_conv")
    >>> backbone = keras.Model(pixels, second(first(pixels)))
    >>> nfl.models.freeze_through(backbone, "block1")
    >>> first.trainable, second.trainable
    (False, True)
    """
    named = list(_named_layers(backbone))
    start = re.compile(re.escape(prefix) + (r"(?!\d)" if prefix[-1:].isdigit() else "") + "[^/]*$")
    matches = [i for i, (name, _) in enumerate(named) if start.match(name)]
    if not matches:
        blocks = list(_blocks(backbone))
        raise UserError(
            f"no layer of the backbone has a name that starts with {prefix!r}; its layers run "
            f"{', '.join(blocks[:4])}, ... {', '.join(blocks[-4:])}."
        )
    last, _ = named[matches[-1]]
    for name, layer in named[: matches[-1] + 1]:
        if not last.startswith(f"{name}/"):  # A layer around the last one is frozen in part.
            layer.trainable = False


def _named_layers(layer, before=""):
    """Yields the layers within a layer, and their names, in order."""
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        yield before + inner.name, inner
        yield from _named_layers(inner, f"{before}{inner.name}/")


def _blocks(layer, before=""):
    """Yields the names of layers with weights, and of the blocks of those that stack blocks."""
    for inner in layer._flatten_layers(include_self=False, recursive=False):
        blocks = [
            type(block)
            for block in inner._flatten_layers(include_self=False, recursive=False)
            if any(part.weights for part in block._flatten_layers(include_self=False))
        ]
        if len(blocks) > len(set(blocks)):
            yield from _blocks(inner, f"{before}{inner.name}/")
        elif inner.weights:
            yield before + inner.name


def freeze_batch_norm(backbone: keras.Model) -> None:
    """Fixes statistics, scale and shift of every BatchNormalization layer of a backbone."""
    for layer in _all_layers(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def synchronize_batch_norm(backbone: keras.Model) -> None:
    """Lets BatchNormalization take its statistics over the whole batch of all replicas.

    Otherwise each replica of a `tf.distribute` strategy takes the statistics of its own images,
    and the result depends on the number of replicas. The config of a KerasHub backbone does not
    keep this setting: call the function again on a backbone that you load and train further.
    """
    for layer in _all_layers(backbone):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = True


def frozen_layers(backbone: keras.Model) -> list[int]:
    """Returns the positions of the frozen layers, nested ones included, for `freeze_layers`.

    The config of a KerasHub backbone does not keep which layers are frozen.
    """
    return [i for i, layer in enumerate(_all_layers(backbone)) if not layer.trainable]


def freeze_layers(backbone: keras.Model, positions: Sequence[int]) -> None:
    """Freezes the layers at the positions that `frozen_layers` returned for the same config."""
    layers = _all_layers(backbone)
    for position in positions:
        layers[position].trainable = False


def _all_layers(backbone: keras.Model) -> list[keras.layers.Layer]:
    return backbone._flatten_layers(include_self=False)
