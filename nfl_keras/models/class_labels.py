"""Defines the labels of the classes that are trained on, and the positions of others among them."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.labels_seen import LABEL_DTYPE
from nfl_keras.typing import Tensor


def ascending_labels(class_labels: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """Returns the labels of classes as ints.

    Args:
        class_labels: integers `[K]`.

    Raises:
        UserError: if they are not ascending integers.
    """
    labels = np.asarray(class_labels)
    if labels.ndim != 1 or not labels.size or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"class_labels must be a list of integers, not {class_labels!r}.")
    if (np.diff(labels) <= 0).any():
        raise UserError("class_labels must ascend, each label once; sort them.")
    return tuple(labels.tolist())


def label_positions(labels: Tensor, class_labels: Sequence[int]) -> Tensor:
    """Returns the position of each label among the labels of the classes.

    Args:
        labels: integer `[B]`.
        class_labels: ints `[K]`, ascending.

    Returns:
        int32 `[B]`. The position is K for a label that is not in `class_labels`.
    """
    labels = ops.cast(labels, LABEL_DTYPE)
    known = np.array(class_labels, LABEL_DTYPE)
    found = ops.cast(ops.searchsorted(known, labels), "int32")
    nearest = ops.take(known, ops.minimum(found, len(known) - 1), axis=0)
    return ops.where(ops.equal(nearest, labels), found, len(known))


def label_targets(labels: Tensor, class_labels: Sequence[int]) -> Tensor:
    """Returns the position of each label among the labels of the classes, as losses take them.

    Args:
        labels: integer `[B]`.
        class_labels: ints `[K]`, ascending.

    Returns:
        int32 `[B]`, in `0 .. K - 1`. A label that is not in `class_labels` has the last position,
        since backends differ in what a position beyond it does. `fit` refuses it.
    """
    return ops.minimum(label_positions(labels, class_labels), len(class_labels) - 1)
