"""L_D: each pair of one class against all photographs of other classes."""

import keras
from keras import ops

from nfl_keras.losses.anchors import has_pairs, pair_masks
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss, check_temperature

# Stands for -inf in the exponent: it vanishes beside any similarity, and its gradient is 0
# where that of -inf - (-inf) would be NaN.
_ABSENT = -1e9


def class_discrimination(embeddings, labels, temperature=0.1):
    """Class-discrimination loss L_D ([NIFL] eqs. 1 and 7; L_inter, eq. 3 of [NAFL]).

    With `s_ij = f_i . f_j / temperature`, P(i) the other anchors of i's class and N(i) those
    of other classes,

        L_D(i) = mean over p in P(i) of softplus(logsumexp_{n in N(i)} s_in - s_ip).

    Other positives are not in the denominator, so that the loss goes to 0 for perfect
    clusters. O(B^2) time and memory.

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
    embeddings = ops.cast(embeddings, "float32")
    positives, negatives = pair_masks(labels)
    similarity = ops.matmul(embeddings, ops.transpose(embeddings)) / temperature
    against = ops.logsumexp(ops.where(negatives, similarity, _ABSENT), axis=1)
    pair_losses = ops.softplus(against[:, None] - similarity)
    positives = ops.cast(positives, "float32")
    count = ops.sum(positives, axis=1)
    return ops.sum(positives * pair_losses, axis=1) / ops.maximum(count, 1.0)


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
