"""L_D: each pair of one class against all photographs of other classes."""

import keras
from keras import ops

from nfl_keras.losses.anchors import class_sizes, has_pairs
from nfl_keras.losses.closed_form import closed_form
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss, check_temperature
from nfl_keras.losses.row_blocks import by_row_blocks

# Stands for -inf in an exponent, and its opposite for inf: it vanishes beside any similarity,
# and where -inf - (-inf) would be NaN, the difference of two of it is 0.
_ABSENT = -1e9


def class_discrimination(embeddings, labels, temperature=0.1):
    """Class-discrimination loss L_D ([NIFL] eqs. 1 and 7; L_inter, eq. 3 of [NAFL]).

    With `s_ij = f_i . f_j / temperature`, P(i) the other anchors of i's class and N(i) those
    of other classes,

        L_D(i) = mean over p in P(i) of softplus(logsumexp_{n in N(i)} s_in - s_ip).

    Other positives are not in the denominator, so that the loss goes to 0 for perfect
    clusters. O(B^2) time. Nothing of B x B is kept for the backward pass, which computes the
    similarities anew; above 2,048 anchors, if B is known while tracing, 256 rows at a time
    are, in both passes: O(B) memory.

    Args:
        embeddings: float `[B, D]`, unit vectors. Computed in float32 whatever the dtype.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor without a positive or without a negative.

    Example:

    >>> f = np.eye(4, dtype="float32")[[0, 0, 1, 1]]
    >>> nfl.losses.class_discrimination(f, np.array([0, 0, 1, 1])).numpy()
    array([9.0796e-05, 9.0796e-05, 9.0796e-05, 9.0796e-05], dtype=float32)
    """
    check_temperature(temperature)
    return _ClassDiscrimination(temperature)(embeddings, labels)


class _ClassDiscrimination(keras.Operation):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(self, embeddings, labels):
        return keras.KerasTensor(embeddings.shape[:1], dtype="float32")

    def call(self, embeddings, labels):
        classes, sizes = class_sizes(labels)
        sums = _sums_over_positives(classes, self.temperature)(ops.cast(embeddings, "float32"))
        return sums / ops.cast(ops.maximum(sizes - 1, 1), "float32")


def _sums_over_positives(classes, temperature):
    """L_D times |P(i)|, as a function of the embeddings."""

    @closed_form
    def sums(embeddings):
        num_rows, width = ops.shape(embeddings)
        columns = ops.arange(num_rows, dtype="int32")
        scaled = embeddings / temperature

        def similarities(positions):
            """Of some anchors, `[R, B]`, endless to themselves; and where the class is theirs."""
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

        of_pairs, against, slopes = ops.unstack(by_row_blocks(forward, num_rows, 3), 3, axis=1)

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

            return by_row_blocks(backward, num_rows, width)

        return of_pairs, gradient

    return sums


@keras.saving.register_keras_serializable(package="nfl_keras")
class ClassDiscriminationLoss(PerAnchorLoss):
    """L_D as a loss for `compile()`: labels against embeddings.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: as in `keras.losses.Loss`; the default is the mean over the anchors that
            have both a positive and a negative in the batch.
        name: str.

    Example:

    >>> embedder.compile("adamw", loss=nfl.losses.ClassDiscriminationLoss(temperature=0.1))
    >>> embedder.fit(dataset_of_images_and_integer_labels)
    """

    def __init__(
        self, temperature=0.1, reduction="sum_over_batch_size", name="class_discrimination"
    ):
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true, y_pred):
        return class_discrimination(y_pred, y_true, self.temperature)

    def anchors(self, y_true, y_pred):
        return has_pairs(y_true)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
