"""Which anchors of a batch have pairs, and the mean over those that do."""

import keras
from keras import ops


def class_sizes(labels):
    """The batch's classes by small ids, and how many images of the batch each has.

    Args:
        labels: integer `[B]` or `[B, 1]`. Class ids; any values, since they are only compared.

    Returns:
        `(ids, sizes)`, both int32 `[B]`: ids in `0 .. B - 1`, equal where the labels are
        equal, and the number of images of each anchor's class, itself included.
    """
    labels = ops.reshape(labels, (-1,))
    labels = ops.cast(labels, keras.backend.result_type(labels.dtype, "int32"))
    in_order = ops.sort(labels)
    first = ops.cast(ops.searchsorted(in_order, labels, side="left"), "int32")
    end = ops.cast(ops.searchsorted(in_order, labels, side="right"), "int32")
    return first, end - first


def has_pairs(labels):
    """The anchors with at least one positive and one negative.

    Args:
        labels: integer `[B]` or `[B, 1]`.

    Returns:
        bool `[B]`: true where another image of the batch has the anchor's class, and one has
        another class.
    """
    _, sizes = class_sizes(labels)
    return ops.logical_and(sizes > 1, sizes < ops.shape(sizes)[0])


def anchor_weights(anchors):
    """Weights under which a plain mean over B is the mean over the anchors that have a term.

    The papers write sums over the batch; a mean over the anchors that have a term keeps
    the learning rate independent of B and of how many anchors found a pair. The weight of
    such an anchor is B divided by their number, and 0 for the others.

    Args:
        anchors: bool `[B]`, true where the anchor has a term.

    Returns:
        float32 `[B]`; all zeros where no anchor has a term.
    """
    weights = ops.cast(anchors, "float32")
    batch_size = ops.cast(ops.shape(weights)[0], "float32")
    return weights * batch_size / ops.maximum(ops.sum(weights), 1.0)
