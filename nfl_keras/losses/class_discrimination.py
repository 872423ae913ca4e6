"""Defines L_D, which sets each pair of one class against all images of other classes."""

from typing import Any

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import class_sizes, has_pairs
from nfl_keras.losses.custom_gradient import custom_gradient
from nfl_keras.losses.map_row_blocks import map_row_blocks
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss
from nfl_keras.typing import Tensor

# Replaces -inf in an exponent, and its opposite replaces inf. It vanishes beside any similarity,
# and the difference of two such values is 0, where -inf - (-inf) is NaN.
_ABSENT = -1e9


def class_discrimination(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Computes the class-discrimination loss L_D of [NIFL], which [NAFL] calls L_inter.

    With `s_ij = f_i . f_j / temperature`, P(i) the other anchors of i's class and N(i) the
    anchors of other classes,

        L_D(i) = mean over p in P(i) of softplus(logsumexp_{n in N(i)} s_in - s_ip).

    Other positives are not in the denominator, so that the loss goes to 0 for perfect
    clusters. It takes O(B^2) time. The backward pass computes the similarities again, and no
    `[B, B]` tensor is kept for it. Above 2,048 anchors, both passes compute 256 rows at a time,
    with O(B) memory, if B is known while tracing.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.eye(4, dtype="float32")[[0, 0, 1, 1]]
    >>> nfl.losses.class_discrimination(f, np.array([0, 0, 1, 1])).numpy()
    array([9.0...e-05, 9.0...e-05, 9.0...e-05, 9.0...e-05], dtype=float32)

    Reference: [NIFL] eqs. 1 and 7, doi 10.1038/s41598-025-97528-9; [NAFL] eq. 3,
    doi 10.32604/csse.2023.032047.
    """
    check_temperature(temperature)
    return _ClassDiscrimination(temperature)(embeddings, labels)


class _ClassDiscrimination(keras.Operation):
    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(self, embeddings: Tensor, labels: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor(embeddings.shape[:1], dtype="float32")

    def call(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        classes, sizes = class_sizes(labels)
        sums = _sums_over_positives(classes, self.temperature)(ops.cast(embeddings, "float32"))
        return sums / ops.cast(ops.maximum(sizes - 1, 1), "float32")


def _sums_over_positives(classes, temperature):
    """Returns the function from the embeddings to L_D times |P(i)|."""

    @custom_gradient
    def sums(embeddings):
        num_rows, width = ops.shape(embeddings)
        columns = ops.arange(num_rows, dtype="int32")
        scaled = embeddings / temperature

        def similarities(positions):
            """Computes some anchors' similarities `[R, B]`, and where the class is the same.

            An anchor's similarity to itself is `-_ABSENT`.
            """
            rows = ops.take(scaled, positions, axis=0)
            itself = ops.equal(positions[:, None], columns)
            similarity = ops.where(itself, -_ABSENT, ops.matmul(rows, ops.transpose(embeddings)))
            same_class = ops.equal(ops.take(classes, positions, axis=0)[:, None], classes)
            return similarity, same_class

        def forward(positions):
            similarity, same_class = similarities(positions)
            against = ops.logsumexp(ops.where(same_class, _ABSENT, similarity), axis=1)
            deficits = ops.where(same_class, against[:, None] - similarity, _ABSENT)
            of_pairs = ops.sum(ops.softplus(deficits), axis=1)
            slopes = ops.sum(ops.sigmoid(deficits), axis=1)
            return ops.stack([of_pairs, against, slopes], axis=1)

        of_pairs, against, slopes = ops.unstack(map_row_blocks(forward, num_rows, 3), 3, axis=1)

        def gradient(upstream):
            # With a = against, dL_i/ds_ip = -sigmoid(a_i - s_ip) for a positive and
            # dL_i/ds_in = slopes_i e^(s_in - a_i) for a negative. s_ij is in L_i and in L_j.
            anchors = ops.stack([against, upstream, upstream * slopes], axis=1)

            def backward(positions):
                similarity, same_class = similarities(positions)
                a, u, v = ops.split(ops.take(anchors, positions, axis=0), 3, axis=1)
                odds, odds_of_others = ops.exp(similarity - a), ops.exp(similarity - against)
                by_positives = -u / (1.0 + odds) - upstream / (1.0 + odds_of_others)
                by_negatives = v * odds + upstream * slopes * odds_of_others
                return ops.matmul(ops.where(same_class, by_positives, by_negatives), scaled)

            return map_row_blocks(backward, num_rows, width)

        return of_pairs, gradient

    return sums


@keras.saving.register_keras_serializable(package="nfl_keras")
class ClassDiscriminationLoss(PerAnchorLoss):
    """The loss L_D for `compile()`, between labels and embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> images, labels = np.ones((4, 8, 8, 3), "float32"), np.array([0, 0, 1, 1])
    >>> layers = [keras.layers.Flatten(), keras.layers.Dense(2), keras.layers.UnitNormalization()]
    >>> embedder = keras.Sequential(layers)
    >>> embedder.compile("adamw", loss=nfl.losses.ClassDiscriminationLoss(temperature=0.1))
    >>> history = embedder.fit(images, labels, verbose=0)
    >>> round(history.history["loss"][0], 2)
    1.1
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "class_discrimination",
    ) -> None:
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return class_discrimination(y_pred, y_true, self.temperature)

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return has_pairs(y_true)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
