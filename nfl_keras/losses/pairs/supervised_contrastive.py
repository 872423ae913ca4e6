"""Defines SupCon, the supervised contrastive loss."""

import keras

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import has_positives
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import logsumexp_over, mean_over
from nfl_keras.typing import Tensor


def supervised_contrastive(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Computes the supervised contrastive loss (SupCon, the paper's L_out).

    With `s_ij = f_i . f_j / temperature` and P(i) the other anchors of i's class,

        L(i) = logsumexp_{a != i} s_ia - mean over p in P(i) of s_ip.

    The other positives are in the denominator, unlike in L_D (`class_discrimination`), so that
    the loss stays at log |P(i)| or more. The authors' program multiplies the loss by
    temperature / 0.07. pytorch-metric-learning gives 0 for a batch of one class.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.eye(4, dtype="float32")
    >>> nfl.losses.supervised_contrastive(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([1.099, 1.099, 1.099, 1.099], dtype=float32)

    Reference: Khosla et al., Supervised contrastive learning, NeurIPS 2020, eq. 2.
    """
    check_temperature(temperature)

    def values(pairs: Pairs) -> Tensor:
        similarities = pairs.similarities / temperature
        others = pairs.positives | pairs.negatives
        return logsumexp_over(others, similarities) - mean_over(pairs.positives, similarities)

    return ValuesOfPairs(values, has_positives)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class SupervisedContrastiveLoss(PairLoss):
    """The loss SupCon for `compile()`, between labels and embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have another image of their class in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.SupervisedContrastiveLoss(temperature=0.1)
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(4, dtype="float32"))), 3)
    1.099
    """

    function = staticmethod(supervised_contrastive)

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "supervised_contrastive",
    ) -> None:
        super().__init__(reduction, name, temperature=temperature)

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return has_positives(y_true)
