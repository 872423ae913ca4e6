"""Defines the loop over the other images of each anchor's class."""

from collections.abc import Callable

from keras import ops

from nfl_keras.losses.pairs.class_mates import ClassMates
from nfl_keras.typing import Tensor


def over_class_mates(
    step: Callable[..., tuple[Tensor, ...]], start: tuple[Tensor, ...], labels: Tensor
) -> tuple[Tensor, ...]:
    """Visits every positive of every anchor, one positive of each anchor at a time.

    What a loss computes of all triplets then needs `[B, B]` tensors alone, and as many steps as
    the batch's largest class has images, less one. The loop has no gradient.

    Args:
        step: function of `(is_mate, *carried)` that returns the new `carried`. `is_mate`, bool
            `[B, B]`, is true in row i for the positive of anchor i that is visited. It is false in
            the whole row of an anchor whose positives have all been visited.
        start: tuple of tensors, the first `carried`.
        labels: integer `[B]`.

    Returns:
        The last `carried`.

    Example:

    >>> from nfl_keras.losses.pairs.over_class_mates import over_class_mates
    >>> add = lambda is_mate, visited: (visited + keras.ops.cast(is_mate, "int32"),)
    >>> labels = np.array([5, 7, 5, 5])
    >>> over_class_mates(add, (np.zeros((4, 4), "int32"),), labels)[0].numpy()
    array([[0, 0, 1, 1],
           [0, 0, 0, 0],
           [1, 0, 0, 1],
           [1, 0, 1, 0]], dtype=int32)
    """
    mates = ClassMates.of(labels)
    positions = ops.arange(ops.shape(mates.sizes)[0], dtype="int32")

    def visit(offset: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
        is_mate = ops.equal(mates.at(offset)[:, None], positions)
        is_mate = ops.logical_and(is_mate, (offset < mates.sizes)[:, None])
        return offset + 1, *step(is_mate, *carried)

    largest = ops.max(mates.sizes)
    start = tuple(ops.convert_to_tensor(tensor) for tensor in start)
    first = ops.convert_to_tensor(1, dtype="int32")
    return ops.while_loop(lambda offset, *_: offset < largest, visit, (first, *start))[1:]
