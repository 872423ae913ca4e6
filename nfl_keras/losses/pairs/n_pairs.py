"""Defines the N-pairs loss."""

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.pairs.class_mates import ClassMates
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import logsumexp_over
from nfl_keras.typing import Tensor


def n_pairs(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Computes the N-pairs loss (N-pair-mc).

    Each anchor i has one positive p, the next image of its class in the batch (the first is next
    to the last). Against it stands one image of each other class, C(i). With
    `s_ij = f_i . f_j / temperature`,

        L(i) = log(1 + sum_{n in C(i)} e^(s_in - s_ip)).

    Of a class with m images, C(i) has the image number r + 1 modulo m for an anchor that is image
    number r of its own class. The m images of each class thus form m rings of N pairs, and
    every image is an anchor once. In the paper, tensorflow_addons and pytorch-metric-learning only
    one image of each class is an anchor; with two images per class theirs is the mean over half of
    the anchors here. The paper has no temperature and does not normalize embeddings: it adds
    their squared length to the loss instead.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.eye(4, dtype="float32")
    >>> nfl.losses.n_pairs(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([0.693, 0.693, 0.693, 0.693], dtype=float32)

    Reference: Sohn, Improved deep metric learning with multi-class N-pair loss objective, NeurIPS
    2016, eq. 7.
    """
    check_temperature(temperature)

    def values(pairs: Pairs) -> Tensor:
        mates = ClassMates.of(pairs.labels)
        number, sizes = ops.cast(mates.number, "float32"), ops.cast(mates.sizes, "float32")
        # A class has image number r + 1 modulo m where m divides r + 1 less that number.
        beyond = number[:, None] + 1.0 - number
        candidates = ops.equal(ops.round(beyond / sizes) * sizes, beyond)
        similarities = pairs.similarities / temperature
        positions = ops.arange(ops.shape(number)[0], dtype="int32")
        is_positive = ops.equal(mates.at(1)[:, None], positions)
        own = ops.sum(ops.where(is_positive, similarities, 0.0), axis=1)
        return logsumexp_over(candidates, similarities) - own

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class NPairsLoss(PairLoss):
    """The N-pairs loss for `compile()`, between labels and embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.NPairsLoss(temperature=0.1)
    >>> round(float(loss(np.array([0, 0, 1, 1]), np.eye(4, dtype="float32"))), 3)
    0.693
    """

    function = staticmethod(n_pairs)

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "n_pairs",
    ) -> None:
        super().__init__(reduction, name, temperature=temperature)
