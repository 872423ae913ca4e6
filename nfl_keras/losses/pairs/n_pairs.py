"""Defines the N-pairs loss."""

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.custom_gradient import custom_gradient
from nfl_keras.losses.pairs.anchor_values import AnchorValues
from nfl_keras.losses.pairs.class_mates import ClassMates
from nfl_keras.losses.pairs.pair_loss import PairLoss
from nfl_keras.losses.pairs.reductions import logsumexp_over
from nfl_keras.typing import Tensor


def n_pairs(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Computes the N-pairs loss (N-pair-mc).

    The images of each class are paired in the order of the batch: the first, an anchor i, with
    the second, its positive p, the third with the fourth, and so on. Of each other class that has
    pairs, C(i) holds the positive of one: of a class with q pairs, pair number k modulo q for an
    anchor in pair number k of its own class. With `s_ij = f_i . f_j / temperature`,

        L(i) = log(1 + sum_{n in C(i)} e^(s_in - s_ip)).

    For two images per class this is the loss of the paper, of tensorflow_addons and of
    pytorch-metric-learning, which have one pair per class. The paper has no temperature and does
    not normalize embeddings: it adds their squared length to the loss instead.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an image that is not the first of a pair, or if no other class has
        pairs.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.eye(4, dtype="float32")
    >>> nfl.losses.n_pairs(f, np.array([0, 0, 1, 1])).numpy().round(3)
    array([0.693, 0.   , 0.693, 0.   ], dtype=float32)

    Reference: Sohn, Improved deep metric learning with multi-class N-pair loss objective, NeurIPS
    2016, eq. 7.
    """
    check_temperature(temperature)

    def values(embeddings: Tensor, labels: Tensor) -> Tensor:
        mates = ClassMates.of(labels)
        is_first = _is_first(mates)
        # A batch has at most half as many pairs as images.
        half = (ops.shape(is_first)[0] + 1) // 2
        in_order = ops.argsort(ops.cast(ops.logical_not(is_first), "int32"))
        place = ops.cast(ops.argsort(in_order), "int32")
        firsts = in_order[:half]
        similarities = _similarities(embeddings / temperature**0.5, mates, is_first, firsts, place)

        number = ops.cast(ops.take(mates.number // 2, firsts), "float32")
        num_pairs = ops.cast(ops.maximum(ops.take(mates.sizes // 2, firsts), 1), "float32")
        # Pair number k modulo q is the one whose number differs from k by a multiple of q.
        difference = number[:, None] - number
        candidates = ops.equal(ops.round(difference / num_pairs) * num_pairs, difference)
        candidates = ops.logical_and(candidates, ops.take(is_first, firsts))
        own = ops.diagonal(similarities)
        of_pairs = logsumexp_over(candidates, similarities) - own
        # One 0 for all images that are not the first of a pair.
        of_pairs = ops.concatenate([of_pairs, ops.zeros((1,))])
        return ops.take(of_pairs, ops.where(is_first, place, half))

    return AnchorValues(values, _has_n_pairs)(embeddings, labels)


def _is_first(mates):
    """Finds the images that are the first of a pair."""
    return ops.logical_and(mates.number % 2 == 0, mates.number + 1 < mates.sizes)


def _has_n_pairs(labels):
    """Finds the first images of all pairs, if more than one class has pairs."""
    mates = ClassMates.of(labels)
    is_paired = mates.sizes > 1
    first_class = ops.min(ops.where(is_paired, mates.first, ops.shape(mates.first)[0]))
    last_class = ops.max(ops.where(is_paired, mates.first, -1))
    return ops.logical_and(_is_first(mates), last_class > first_class)


def _similarities(embeddings, mates, is_first, firsts, place):
    """Computes the products of the pairs' first with their second images."""
    half = ops.shape(firsts)[0]
    seconds = ops.take(mates.at(1), firsts)

    @custom_gradient
    def similarities(embeddings):
        of_firsts = ops.take(embeddings, firsts, axis=0)
        of_seconds = ops.take(embeddings, seconds, axis=0)

        def gradient(upstream):
            # Each image is in one pair at most, and finds the row of its own gradient.
            by_firsts = ops.matmul(upstream, of_seconds)
            by_seconds = ops.matmul(ops.transpose(upstream), of_firsts)
            rows = ops.concatenate([by_firsts, by_seconds, ops.zeros_like(embeddings[:1])])
            of_second = ops.where(
                mates.number % 2 == 1, half + ops.take(place, mates.at(-1)), 2 * half
            )
            return ops.take(rows, ops.where(is_first, place, of_second), axis=0)

        return ops.matmul(of_firsts, ops.transpose(of_seconds)), gradient

    return similarities(embeddings)


@keras.saving.register_keras_serializable(package="nfl_keras")
class NPairsLoss(PairLoss):
    """The N-pairs loss for `compile()`, between labels and embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the images
            that are the first of a pair.
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

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return _has_n_pairs(y_true)
