"""L_S: label-smoothed classification of features that carry noise."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss


def noisy_classification(logits, labels, label_smoothing=0.1):
    """Noisy-classification loss L_S ([NIFL], feature noise with label smoothing).

    Cross-entropy against 1 - φ on the true class and φ / (K - 1) on each of the others.
    (Keras' own `label_smoothing` spreads φ / K over all K classes.) The noise itself is
    `nfl.layers.UnitFeatureNoise`, between the features and the layer that gives the logits.

    Args:
        logits: float `[B, K]`, before the softmax. Computed with in float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        label_smoothing: float φ in `[0, 1)`. Defaults to `0.1`.

    Returns:
        float32 `[B]`.

    Example:

    >>> nfl.losses.noisy_classification(np.zeros((1, 4), "float32"), np.array([2])).numpy()
    array([1.3862944], dtype=float32)
    """
    check_label_smoothing(label_smoothing)
    log_probabilities = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    true_class = ops.reshape(ops.cast(labels, "int32"), (-1, 1))
    of_true = ops.take_along_axis(log_probabilities, true_class, axis=1)[:, 0]
    of_others = ops.sum(log_probabilities, axis=1) - of_true
    num_others = max(logits.shape[-1] - 1, 1)
    return -(1.0 - label_smoothing) * of_true - label_smoothing / num_others * of_others


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoisyClassificationLoss(PerAnchorLoss):
    """L_S as a loss for `compile()`: labels against logits.

    Args:
        label_smoothing: float in `[0, 1)`. Defaults to `0.1`.
        reduction: as in `keras.losses.Loss`. Defaults to the mean over the batch.
        name: str.

    Example:

    >>> classifier.compile("adamw", loss=nfl.losses.NoisyClassificationLoss())
    """

    def __init__(
        self, label_smoothing=0.1, reduction="sum_over_batch_size", name="noisy_classification"
    ):
        super().__init__(reduction=reduction, name=name)
        check_label_smoothing(label_smoothing)
        self.label_smoothing = label_smoothing

    def per_anchor(self, y_true, y_pred):
        return noisy_classification(y_pred, y_true, self.label_smoothing)

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def check_label_smoothing(label_smoothing):
    """Raises `UserError` unless `label_smoothing` lies in [0, 1)."""
    if not 0 <= label_smoothing < 1:
        raise UserError(f"label_smoothing must lie in [0, 1), not {label_smoothing}.")
