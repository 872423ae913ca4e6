"""Which pairs a batch offers each anchor, and the mean over the anchors that have any."""

from keras import ops


def pair_masks(labels):
    """Who is whose positive and whose negative.

    Args:
        labels: integer `[B]` or `[B, 1]`. Class ids; any values, since they are only compared.

    Returns:
        Two bool `[B, B]`: positives (same class, not the anchor itself) and negatives
        (another class).
    """
    labels = ops.reshape(labels, (-1,))
    same_class = ops.equal(labels[:, None], labels[None, :])
    positions = ops.arange(ops.shape(labels)[0])
    itself = ops.equal(positions[:, None], positions[None, :])
    return ops.logical_and(same_class, ops.logical_not(itself)), ops.logical_not(same_class)


def has_pairs(labels):
    """The anchors with at least one positive and one negative.

    Args:
        labels: integer `[B]` or `[B, 1]`.

    Returns:
        bool `[B]`.
    """
    positives, negatives = pair_masks(labels)
    return ops.logical_and(ops.any(positives, axis=1), ops.any(negatives, axis=1))


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
