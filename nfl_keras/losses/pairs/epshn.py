"""Defines EPSHN, the loss of an easy positive against a semi-hard negative."""

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import FAR, max_over
from nfl_keras.typing import Tensor


def epshn(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Computes the loss of the easy positive against the semi-hard negative (EPSHN).

    With `s_ij = f_i . f_j`, the easy positive p is the most similar image of i's class, and the
    semi-hard negative n is the most similar image of another class with `s_in < s_ip`.

        L(i) = log(1 + e^((s_in - s_ip) / temperature)).

    The authors' program leaves out positives with a similarity above 0.9999, which it takes for
    duplicates. An anchor whose negatives are all more similar than its easy positive costs
    nothing. It counts in the mean here, and neither there nor in pytorch-metric-learning, where
    EPSHN is `NTXentLoss` with `BatchEasyHardMiner`.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a semi-hard negative.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], "float32")
    >>> nfl.losses.epshn(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([0.127, 0.127, 0.127, 0.127], dtype=float32)

    Reference: Xuan et al., Improved embeddings with easy positive triplet mining, WACV 2020.
    """
    check_temperature(temperature)

    def values(pairs: Pairs) -> Tensor:
        positive = max_over(pairs.positives, pairs.similarities)
        less_similar = pairs.similarities < positive[:, None]
        negative = max_over(ops.logical_and(pairs.negatives, less_similar), pairs.similarities)
        costs = ops.softplus((negative - positive) / temperature)
        return ops.where(negative > -FAR, costs, 0.0)

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class EPSHNLoss(PairLoss):
    """The loss EPSHN for `compile()`, between labels and embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.EPSHNLoss(temperature=0.1)
    >>> f = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], "float32")
    >>> round(float(loss(np.array([0, 0, 1, 1]), f)), 3)
    0.127
    """

    function = staticmethod(epshn)

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "epshn",
    ) -> None:
        super().__init__(reduction, name, temperature=temperature)
