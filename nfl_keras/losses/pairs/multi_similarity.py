"""Defines the Multi-Similarity loss."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import logsumexp_over, max_over, min_over
from nfl_keras.typing import Tensor


def multi_similarity(
    embeddings: Tensor,
    labels: Tensor,
    alpha: float = 2.0,
    beta: float = 50.0,
    base: float = 0.5,
    epsilon: float | None = 0.1,
) -> Tensor:
    """Computes the Multi-Similarity loss.

    With `s_ij = f_i . f_j`, P(i) the other anchors of i's class and N(i) the anchors of other
    classes, of which mining keeps

        P'(i) = the p in P(i) with s_ip < max_{n in N(i)} s_in + epsilon,
        N'(i) = the n in N(i) with s_in > min_{p in P(i)} s_ip - epsilon,

        L(i) = log(1 + sum_{p in P'(i)} e^(-alpha (s_ip - base))) / alpha
             + log(1 + sum_{n in N'(i)} e^(beta (s_in - base))) / beta.

    The paper has base = 1, and its authors' program beta = 40 and base = 0.5.
    pytorch-metric-learning has the defaults here, but mines only by its `MultiSimilarityMiner`,
    and gives an anchor without a positive the second term. The means of all three are over the
    whole batch; here an anchor counts if it has a positive and a negative.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        alpha: float > 0, weight of the positives' similarity. Defaults to `2.0`.
        beta: float > 0, weight of the negatives' similarity. Defaults to `50.0`.
        base: float, the similarity between near and far. Defaults to `0.5`.
        epsilon: float, margin of the mining, or `None` to keep all pairs. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if `alpha` or `beta` is not above 0.

    Example:

    >>> f = np.eye(4, dtype="float32")
    >>> nfl.losses.multi_similarity(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([0.657, 0.657, 0.657, 0.657], dtype=float32)

    Reference: Wang et al., Multi-similarity loss with general pair weighting for deep metric
    learning, CVPR 2019, eqs. 11-13 and 15.
    """
    if not (alpha > 0 and beta > 0):
        raise UserError(f"alpha and beta must be above 0, not {alpha} and {beta}; try 2 and 50.")

    def values(pairs: Pairs) -> Tensor:
        similarities, positives, negatives = pairs.similarities, pairs.positives, pairs.negatives
        if epsilon is not None:
            highest = max_over(negatives, similarities)[:, None] + epsilon
            lowest = min_over(positives, similarities)[:, None] - epsilon
            positives = ops.logical_and(positives, similarities < highest)
            negatives = ops.logical_and(negatives, similarities > lowest)
        pulls = ops.softplus(logsumexp_over(positives, -alpha * (similarities - base)))
        pushes = ops.softplus(logsumexp_over(negatives, beta * (similarities - base)))
        return pulls / alpha + pushes / beta

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class MultiSimilarityLoss(PairLoss):
    """The Multi-Similarity loss for `compile()`, between labels and embeddings.

    Args:
        alpha: float > 0. Defaults to `2.0`.
        beta: float > 0. Defaults to `50.0`.
        base: float. Defaults to `0.5`.
        epsilon: float, or `None` to keep all pairs. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.MultiSimilarityLoss(epsilon=None)
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(4, dtype="float32"))), 3)
    0.657
    """

    function = staticmethod(multi_similarity)

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 50.0,
        base: float = 0.5,
        epsilon: float | None = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "multi_similarity",
    ) -> None:
        super().__init__(reduction, name, alpha=alpha, beta=beta, base=base, epsilon=epsilon)
