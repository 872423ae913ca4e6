"""Defines the operation from which a loss of embeddings and labels is made."""

from collections.abc import Callable

import keras
from keras import ops

from nfl_keras.losses.class_sizes import has_pairs
from nfl_keras.typing import Tensor


class AnchorValues(keras.Operation):
    """An operation from embeddings and labels to one value per anchor.

    Args:
        values: function from float32 `[B, D]` and integer labels `[B]` to float32 `[B]`, which is
            finite for every anchor.
        anchors: function from labels to bool `[B]`, the anchors that have a term. The others'
            value is 0. Defaults to those with both a positive and a negative.
    """

    def __init__(
        self,
        values: Callable[[Tensor, Tensor], Tensor],
        anchors: Callable[[Tensor], Tensor] = has_pairs,
    ) -> None:
        super().__init__()
        self.values = values
        self.anchors = anchors

    def compute_output_spec(self, embeddings: Tensor, labels: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor(embeddings.shape[:1], dtype="float32")

    def call(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        labels = ops.reshape(labels, (-1,))
        values = self.values(ops.cast(embeddings, "float32"), labels)
        return ops.where(self.anchors(labels), values, 0.0)
