"""Freezes layers of a backbone, and makes its BatchNormalization common to all replicas."""

from collections.abc import Sequence

import keras

from nfl_keras.errors import UserError


def freeze_through(backbone: keras.Model, prefix: str) -> None:
    """Freezes a backbone up to and including the last layer whose name starts with `prefix`.

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
    names = [layer.name for layer in backbone.layers]
    last = max((i for i, name in enumerate(names) if name.startswith(prefix)), default=None)
    if last is None:
        weighted = [layer.name for layer in backbone.layers if layer.weights]
        raise UserError(
            f"no layer of the backbone has a name that starts with {prefix!r}; its layers run "
            f"{', '.join(weighted[:4])}, ... {', '.join(weighted[-4:])}."
        )
    for layer in backbone.layers[: last + 1]:
        layer.trainable = False


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
