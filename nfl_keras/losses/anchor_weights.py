"""Defines the weights that turn a mean over the batch into a mean over anchors with a term."""

from keras import ops

from nfl_keras.typing import Tensor


def anchor_weights(anchors: Tensor) -> Tensor:
    """Computes weights with which a mean over B is the mean over the anchors that have a term.

    The papers write sums over the batch. The gradient of a mean over the anchors with a term
    does not grow with B or with the number of anchors that found a pair, and the learning rate
    stays the same. An anchor's weight is B divided by the number of anchors with a term.

    Args:
        anchors: bool `[B]`, true where the anchor has a term.

    Returns:
        float32 `[B]`: 0 for an anchor without a term; all zeros if no anchor has one.

    Example:

    >>> from nfl_keras.losses.anchor_weights import anchor_weights
    >>> anchor_weights(np.array([True, True, False, False])).numpy()
    array([2., 2., 0., 0.], dtype=float32)
    """
    weights = ops.cast(anchors, "float32")
    batch_size = ops.cast(ops.shape(weights)[0], "float32")
    return weights * batch_size / ops.maximum(ops.sum(weights), 1.0)
