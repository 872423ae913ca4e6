"""Defines the lifted structure loss."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import logsumexp_over, mean_over
from nfl_keras.typing import Tensor


def lifted_structure(embeddings: Tensor, labels: Tensor, margin: float = 1.0) -> Tensor:
    """Computes the lifted structure loss.

    With Euclidean distances `d_ij`, P(i) the other anchors of i's class and N(i) the anchors of
    other classes,

        J_ip = d_ip + log(sum_{n in N(i)} e^(margin - d_in) + sum_{n in N(p)} e^(margin - d_pn)),
        L(i) = mean over p in P(i) of max(0, J_ip)^2 / 2.

    The paper, tensorflow_addons and pytorch-metric-learning take the mean over the batch's
    positive pairs, which is the same if all classes have equally many images. The paper does not
    normalize embeddings.

    Args:
        embeddings: float `[B, D]`, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        margin: float > 0. Defaults to `1.0`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if `margin` is not above 0.

    Example:

    >>> f = np.eye(2, dtype="float32")[[0, 0, 1, 1]]
    >>> nfl.losses.lifted_structure(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([0.472, 0.472, 0.472, 0.472], dtype=float32)

    Reference: Oh Song et al., Deep metric learning via lifted structured feature embedding, CVPR
    2016, eq. 4.
    """
    if not margin > 0:
        raise UserError(f"margin must be above 0, not {margin}; 1 is usual.")

    def values(pairs: Pairs) -> Tensor:
        distances = pairs.distances()
        near = logsumexp_over(pairs.negatives, margin - distances)
        costs = distances + ops.logaddexp(near[:, None], near)
        return mean_over(pairs.positives, 0.5 * ops.square(ops.maximum(costs, 0.0)))

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class LiftedStructureLoss(PairLoss):
    """The lifted structure loss for `compile()`, between labels and embeddings.

    Args:
        margin: float > 0. Defaults to `1.0`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.LiftedStructureLoss(margin=1.0)
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(2, dtype="float32")[[0, 0, 1, 1]])), 3)
    0.472
    """

    function = staticmethod(lifted_structure)

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "lifted_structure",
    ) -> None:
        super().__init__(reduction, name, margin=margin)
