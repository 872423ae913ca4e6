"""Defines the triplet loss, with all triplets of a batch or with mined ones."""

from typing import Literal

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.over_class_mates import over_class_mates
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import FAR, count_of
from nfl_keras.typing import Tensor

Mining = Literal["all", "semi-hard", "hard"]


def triplet(
    embeddings: Tensor, labels: Tensor, margin: float = 0.2, mining: Mining = "semi-hard"
) -> Tensor:
    """Computes the triplet loss.

    With Euclidean distances `d_ij`, an anchor i, a positive p and a negative n,

        L(i) = mean of d_ip - d_in + margin, over the mined triplets (i, p, n) where it is above 0.

    The mined triplets are

    - "all": each positive with each negative;
    - "semi-hard": each positive with the nearest negative that is farther than this positive, or
      with the farthest negative if none is;
    - "hard": the farthest positive with the nearest negative.

    It takes O(B^2) memory. The time of "all" and "semi-hard" is O(B^2 M), where M is the number
    of images of the largest class.

    FaceNet has squared distances. tensorflow_addons, whose semi-hard negatives these are, also
    counts the mined triplets that cost nothing, and takes the mean over the batch's positive pairs
    or, for "hard", over all images. pytorch-metric-learning takes the mean over the batch's
    triplets that cost something; its semi-hard triplets are all those with a negative that is
    farther than the positive.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        margin: float > 0. Defaults to `0.2`.
        mining: "all", "semi-hard" or "hard". Defaults to `"semi-hard"`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if `margin` is not above 0, or there is no such mining.

    Example:

    >>> f = np.eye(4, dtype="float32")[[0, 1, 2, 2]]
    >>> nfl.losses.triplet(f, np.array([0, 0, 1, 1]), margin=0.5).numpy().round(3)
    array([0.5, 0.5, 0. , 0. ], dtype=float32)

    Reference: Schroff et al., FaceNet, CVPR 2015, eq. 1; Hermans et al., In defense of the triplet
    loss, 2017 (arXiv 1703.07737), eqs. 5-6.
    """
    if not margin > 0:
        raise UserError(f"margin must be above 0, not {margin}; 0.2 is usual.")
    if mining not in _WEIGHTS:
        raise UserError(f"mining must be one of {', '.join(_WEIGHTS)}, not {mining!r}.")

    def values(pairs: Pairs) -> Tensor:
        distances = pairs.distances()
        # The sum over triplets is a weighted sum of distances, and which triplets it has is
        # constant.
        weights = ops.stop_gradient(_WEIGHTS[mining](pairs, ops.stop_gradient(distances), margin))
        num_triplets = ops.sum(ops.maximum(weights, 0.0), axis=1)
        sums = ops.sum(weights * distances, axis=1) + margin * num_triplets
        return sums / ops.maximum(num_triplets, 1.0)

    return ValuesOfPairs(values)(embeddings, labels)


def _weights_of_all(pairs, distances, margin):
    """Computes how many triplets above 0 a positive is in; of a negative, less their number."""

    def visit(is_mate, weights):
        limits = _of_mate(is_mate, distances) + margin
        violates = ops.logical_and(pairs.negatives, distances < limits[:, None])
        violates = ops.logical_and(violates, ops.any(is_mate, axis=1, keepdims=True))
        of_mate = ops.where(is_mate, count_of(violates)[:, None], 0.0)
        return (weights + of_mate - ops.cast(violates, "float32"),)

    return over_class_mates(visit, (ops.zeros_like(distances),), pairs.labels)[0]


def _weights_of_semi_hard(pairs, distances, margin):
    farthest = ops.argmax(ops.where(pairs.negatives, distances, -FAR), axis=1)

    def visit(is_mate, weights):
        farther = distances > _of_mate(is_mate, distances)[:, None]
        farther = ops.logical_and(pairs.negatives, farther)
        nearest = ops.argmin(ops.where(farther, distances, FAR), axis=1)
        negative = ops.where(ops.any(farther, axis=1), nearest, farthest)
        return (weights + _weights_of_triplets(is_mate, negative, distances, margin),)

    return over_class_mates(visit, (ops.zeros_like(distances),), pairs.labels)[0]


def _weights_of_hard(pairs, distances, margin):
    nearest = ops.argmin(ops.where(pairs.negatives, distances, FAR), axis=1)
    farthest = ops.argmax(ops.where(pairs.positives, distances, -FAR), axis=1)
    positive = ops.one_hot(farthest, ops.shape(distances)[0], dtype="bool")
    return _weights_of_triplets(positive, nearest, distances, margin)


_WEIGHTS = {
    "all": _weights_of_all,
    "semi-hard": _weights_of_semi_hard,
    "hard": _weights_of_hard,
}


def _of_mate(is_mate, distances):
    return ops.sum(ops.where(is_mate, distances, 0.0), axis=1)


def _weights_of_triplets(positive, negative, distances, margin):
    """Computes the weights of one triplet per anchor: 1, -1, and 0 if the triplet costs nothing."""
    positive = ops.cast(positive, "float32")
    negative = ops.one_hot(negative, ops.shape(distances)[0], dtype="float32")
    weights = positive - negative
    costs = ops.sum(weights * distances, axis=1) + margin > 0.0
    costs = ops.logical_and(costs, ops.any(positive > 0.0, axis=1))
    return ops.where(costs[:, None], weights, 0.0)


@keras.saving.register_keras_serializable(package="nfl_keras")
class TripletLoss(PairLoss):
    """The triplet loss for `compile()`, between labels and embeddings.

    Args:
        margin: float > 0. Defaults to `0.2`.
        mining: "all", "semi-hard" or "hard". Defaults to `"semi-hard"`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.TripletLoss(margin=0.5, mining="hard")
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(4, dtype="float32")[[0, 1, 2, 2]])), 3)
    0.25
    """

    function = staticmethod(triplet)

    def __init__(
        self,
        margin: float = 0.2,
        mining: Mining = "semi-hard",
        reduction: str | None = "sum_over_batch_size",
        name: str = "triplet",
    ) -> None:
        super().__init__(reduction, name, margin=margin, mining=mining)
