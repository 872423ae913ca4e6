"""Defines how many images each anchor's class has, and which anchors have positives."""

import keras
from keras import ops

from nfl_keras.typing import Tensor


def class_sizes(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Computes small ids of the batch's classes, and the number of images in each.

    Args:
        labels: integer `[B]` or `[B, 1]`. Class ids may have any value.

    Returns:
        `(ids, sizes)`, both int32 `[B]`. The ids lie in `0 .. B - 1` and are equal where the
        labels are equal. The size is the number of images of the anchor's class in the batch,
        including the anchor.
    """
    labels = ops.reshape(labels, (-1,))
    labels = ops.cast(labels, keras.backend.result_type(labels.dtype, "int32"))
    in_order = ops.sort(labels)
    first = ops.cast(ops.searchsorted(in_order, labels, side="left"), "int32")
    end = ops.cast(ops.searchsorted(in_order, labels, side="right"), "int32")
    return first, end - first


def has_positives(labels: Tensor) -> Tensor:
    """Finds the anchors with another image of their class in the batch.

    Args:
        labels: integer `[B]` or `[B, 1]`.

    Returns:
        bool `[B]`.
    """
    return class_sizes(labels)[1] > 1


def has_pairs(labels: Tensor) -> Tensor:
    """Finds the anchors with both a positive and a negative in the batch.

    Args:
        labels: integer `[B]` or `[B, 1]`.

    Returns:
        bool `[B]`: true where another image has the anchor's class, and one has another class.
    """
    _, sizes = class_sizes(labels)
    return ops.logical_and(sizes > 1, sizes < ops.shape(sizes)[0])
