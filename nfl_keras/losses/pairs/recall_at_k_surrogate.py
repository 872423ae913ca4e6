"""Defines RS@k, the surrogate of recall at k."""

from collections.abc import Sequence

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.pairs.over_class_mates import over_class_mates
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.pairs import Pairs, ValuesOfPairs
from nfl_keras.losses.pairs.reductions import FAR, count_of
from nfl_keras.typing import Tensor


def recall_at_k_surrogate(
    embeddings: Tensor,
    labels: Tensor,
    ks: Sequence[int] = (1, 2, 4, 8, 16),
    temperature: float = 0.01,
    rank_temperature: float = 1.0,
) -> Tensor:
    """Computes the recall@k surrogate loss (RS@k).

    With `s_ij = f_i . f_j`, P(i) the other anchors of i's class and g the logistic function,

        rank(i, p) = 1 + sum over j other than i and p of g((s_ij - s_ip) / temperature),
        L(i) = 1 - mean over k in ks of
            sum_{p in P(i)} g((k - rank(i, p)) / rank_temperature) / min(k, |P(i)|).

    It takes O(B^2) memory, and O(B^2 M) time, where M is the number of images of the largest class.

    The authors' program also counts the anchor itself in its ranks, takes k as the rank's
    temperature, and does not let the sum over P(i) exceed k. Their mixup of similarities is
    left out.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        ks: ints >= 1. Defaults to `(1, 2, 4, 8, 16)`.
        temperature: float > 0, of similarities. Defaults to `0.01`.
        rank_temperature: float > 0, of ranks. Defaults to `1.0`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if a temperature is not above 0, or `ks` is not positive.

    Example:

    >>> f = np.eye(2, dtype="float32")[[0, 0, 1, 1]]
    >>> nfl.losses.recall_at_k_surrogate(f, np.array([0, 0, 1, 1]), ks=[1]).numpy()
    array([0.5, 0.5, 0.5, 0.5], dtype=float32)

    Reference: Patel et al., Recall@k surrogate loss with large batches and similarity mixup, CVPR
    2022.
    """
    check_temperature(temperature)
    check_temperature(rank_temperature)
    if not len(ks) or min(ks) < 1:
        raise UserError(f"ks must be integers of 1 or more, not {ks}; 1, 2, 4, 8, 16 are usual.")

    def values(pairs: Pairs) -> Tensor:
        at = ops.convert_to_tensor(list(ks), dtype="float32")
        itself = ops.logical_not(pairs.positives | pairs.negatives)
        similarities = ops.where(itself, -FAR, ops.stop_gradient(pairs.similarities))
        most = ops.maximum(ops.minimum(count_of(pairs.positives)[:, None], at), 1.0) * len(ks)

        def visit(is_mate, recall, slopes):
            # An anchor whose positives have all been visited gets a gain of 0.
            of_mate = ops.sum(ops.where(is_mate, similarities, 0.0), axis=1, keepdims=True)
            above = ops.sigmoid((similarities - of_mate) / temperature)
            rank = 0.5 + ops.sum(above, axis=1, keepdims=True)
            found = ops.sigmoid((at - rank) / rank_temperature)
            visited = ops.any(is_mate, axis=1)
            gain = ops.where(visited, ops.sum(found / most, axis=1), 0.0)
            by_rank = -ops.sum(found * (1.0 - found) / most, axis=1) / rank_temperature
            by_rank = ops.where(visited, by_rank, 0.0)[:, None]
            by_others = above * (1.0 - above) / temperature
            by_mate = ops.sum(by_others, axis=1, keepdims=True)
            by_similarity = by_others - ops.where(is_mate, by_mate, 0.0)
            return recall + gain, slopes + by_rank * by_similarity

        start = (ops.zeros_like(similarities[:, 0]), ops.zeros_like(similarities))
        recall, slopes = map(ops.stop_gradient, over_class_mates(visit, start, pairs.labels))
        # Adds 0, whose gradient is that of the recall.
        change = pairs.similarities - ops.stop_gradient(pairs.similarities)
        return 1.0 - recall - ops.sum(slopes * change, axis=1)

    return ValuesOfPairs(values)(embeddings, labels)


@keras.saving.register_keras_serializable(package="nfl_keras")
class RecallAtKSurrogateLoss(PairLoss):
    """The loss RS@k for `compile()`, between labels and embeddings.

    Args:
        ks: ints >= 1. Defaults to `(1, 2, 4, 8, 16)`.
        temperature: float > 0, of similarities. Defaults to `0.01`.
        rank_temperature: float > 0, of ranks. Defaults to `1.0`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.RecallAtKSurrogateLoss(ks=[1])
    >>> float(loss(np.array([0, 0, 1, 1]), np.eye(2, dtype="float32")[[0, 0, 1, 1]]))
    0.5
    """

    function = staticmethod(recall_at_k_surrogate)

    def __init__(
        self,
        ks: Sequence[int] = (1, 2, 4, 8, 16),
        temperature: float = 0.01,
        rank_temperature: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "recall_at_k_surrogate",
    ) -> None:
        super().__init__(
            reduction,
            name,
            ks=[int(k) for k in ks],
            temperature=temperature,
            rank_temperature=rank_temperature,
        )
