"""Defines all pairs of a batch, and the operation from which a loss of pairs is made."""

import dataclasses
from collections.abc import Callable
from typing import Self

from keras import ops

from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.losses.custom_gradient import custom_gradient
from nfl_keras.losses.pairs.anchor_values import AnchorValues
from nfl_keras.typing import Tensor


@dataclasses.dataclass(frozen=True)
class Pairs:
    """All pairs of a batch. Row i belongs to anchor i. No image is paired with itself.

    Args:
        embeddings: float32 `[B, D]`.
        labels: integer `[B]`.
        similarities: float32 `[B, B]`, the dot products.
        positives: bool `[B, B]`, true where both images have one class.
        negatives: bool `[B, B]`, true where their classes differ.
    """

    embeddings: Tensor
    labels: Tensor
    similarities: Tensor
    positives: Tensor
    negatives: Tensor

    @classmethod
    def of(cls, embeddings: Tensor, labels: Tensor) -> Self:
        """Makes the pairs of a batch.

        Args:
            embeddings: float32 `[B, D]`.
            labels: integer `[B]`.
        """
        positions = ops.arange(ops.shape(labels)[0], dtype="int32")
        same = ops.equal(labels[:, None], labels)
        another = ops.not_equal(positions[:, None], positions)
        return cls(
            embeddings,
            labels,
            similarities=_similarities(embeddings),
            positives=ops.logical_and(same, another),
            negatives=ops.logical_not(same),
        )

    def distances(self) -> Tensor:
        """Computes the Euclidean distances, float32 `[B, B]`.

        Where two embeddings are equal, the distance has no derivative, and its gradient is 0.
        """
        squares = ops.sum(ops.square(self.embeddings), axis=1)
        squared = squares[:, None] + squares - 2.0 * self.similarities
        apart = squared > 0.0
        return ops.where(apart, ops.sqrt(ops.where(apart, squared, 1.0)), 0.0)


@custom_gradient
def _similarities(embeddings):
    """Computes `f_i . f_j`. Its own gradient takes one product of matrices instead of two."""

    def gradient(upstream):
        return ops.matmul(upstream + ops.transpose(upstream), embeddings)

    return ops.matmul(embeddings, ops.transpose(embeddings)), gradient


class ValuesOfPairs(AnchorValues):
    """An operation from embeddings and labels to one value per anchor, by a function of `Pairs`."""

    def __init__(
        self,
        values: Callable[[Pairs], Tensor],
        anchors: Callable[[Tensor], Tensor] = has_pairs,
    ) -> None:
        super().__init__(lambda embeddings, labels: values(Pairs.of(embeddings, labels)), anchors)
