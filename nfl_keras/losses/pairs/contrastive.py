"""Defines the contrastive loss."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import mean_of_violations
from nfl_keras.typing import Tensor


def contrastive(
    embeddings: Tensor,
    labels: Tensor,
    positive_margin: float = 0.0,
    negative_margin: float = 0.5,
    squared: bool = True,
) -> Tensor:
    """Computes the contrastive loss.

    With Euclidean distances `d_ij`, P(i) the other anchors of i's class and N(i) the anchors of
    other classes,

        L(i) = mean over p in P(i) with d_ip > positive_margin of (d_ip - positive_margin)^2
             + mean over n in N(i) with d_in < negative_margin of (negative_margin - d_in)^2.

    Hadsell et al. sum both terms over given pairs and halve them. tensorflow_addons takes the
    mean over given pairs, which also counts those beyond the margin. pytorch-metric-learning does
    not square, and takes each of the two means over the batch's pairs instead of the anchor's.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        positive_margin: float >= 0, the distance below which a positive costs nothing. Defaults
            to `0.0`.
        negative_margin: float > `positive_margin`, the distance from which on a negative costs
            nothing. Defaults to `0.5`.
        squared: bool, whether the differences are squared. Defaults to `True`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if a margin is out of its range.

    Example:

    >>> f = np.eye(4, dtype="float32")[[0, 1, 2, 2]]
    >>> nfl.losses.contrastive(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([2., 2., 0., 0.], dtype=float32)

    Reference: Hadsell et al., Dimensionality reduction by learning an invariant mapping, CVPR
    2006, eq. 4.
    """
    if not 0 <= positive_margin < negative_margin:
        raise UserError(
            f"positive_margin must be 0 or more and below negative_margin, not {positive_margin} "
            f"beside {negative_margin}; 0 and 0.5 are usual."
        )

    def values(pairs: Pairs) -> Tensor:
        distances = pairs.distances()
        too_far = ops.maximum(distances - positive_margin, 0.0)
        too_near = ops.maximum(negative_margin - distances, 0.0)
        power = 2 if squared else 1
        pulls = mean_of_violations(pairs.positives, too_far**power)
        return pulls + mean_of_violations(pairs.negatives, too_near**power)

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class ContrastiveLoss(PairLoss):
    """The contrastive loss for `compile()`, between labels and embeddings.

    Args:
        positive_margin: float >= 0. Defaults to `0.0`.
        negative_margin: float > `positive_margin`. Defaults to `0.5`.
        squared: bool. Defaults to `True`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.ContrastiveLoss(negative_margin=1.0)
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(4, dtype="float32")[[0, 1, 2, 2]])), 3)
    1.0
    """

    function = staticmethod(contrastive)

    def __init__(
        self,
        positive_margin: float = 0.0,
        negative_margin: float = 0.5,
        squared: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "contrastive",
    ) -> None:
        super().__init__(
            reduction,
            name,
            positive_margin=positive_margin,
            negative_margin=negative_margin,
            squared=squared,
        )
