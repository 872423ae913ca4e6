"""Defines L_S, the label-smoothed classification of features that carry noise."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss
from nfl_keras.typing import Tensor


def noisy_classification(logits: Tensor, labels: Tensor, label_smoothing: float = 0.1) -> Tensor:
    """Computes the noisy-classification loss L_S of [NIFL].

    It is the cross-entropy against 1 - φ on the true class and φ / (K - 1) on each other class.
    (`label_smoothing` of Keras spreads φ / K over all K classes.) The function itself adds no
    noise: put `nfl.layers.UnitFeatureNoise` between the features and the layer of the logits.

    Args:
        logits: float `[B, K]`, before the softmax, cast to float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        label_smoothing: float φ in `[0, 1)`. Defaults to `0.1`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if `label_smoothing` is not in `[0, 1)`.

    Example:

    >>> nfl.losses.noisy_classification(np.zeros((1, 4), "float32"), np.array([2])).numpy()
    array([1.3862944], dtype=float32)

    Reference: [NIFL] section 3, doi 10.1038/s41598-025-97528-9.
    """
    check_label_smoothing(label_smoothing)
    num_classes = logits.shape[-1]
    of_others = label_smoothing / max(num_classes - 1, 1)
    classes = ops.cast(ops.reshape(labels, (-1,)), "int32")
    is_true = ops.one_hot(classes, num_classes, dtype="float32")
    shares = of_others + (1.0 - num_classes * of_others) * is_true
    return ops.categorical_crossentropy(shares, ops.cast(logits, "float32"), from_logits=True)


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoisyClassificationLoss(PerAnchorLoss):
    """The loss L_S for `compile()`, between labels and logits.

    Args:
        label_smoothing: float in `[0, 1)`. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.NoisyClassificationLoss(label_smoothing=0.1)
    >>> float(loss(np.array([2]), np.zeros((1, 4), "float32")))
    1.386294...
    """

    def __init__(
        self,
        label_smoothing: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "noisy_classification",
    ) -> None:
        super().__init__(reduction=reduction, name=name)
        check_label_smoothing(label_smoothing)
        self.label_smoothing = label_smoothing

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return noisy_classification(y_pred, y_true, self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def check_label_smoothing(label_smoothing: float) -> None:
    """Checks that `label_smoothing` lies in [0, 1).

    Raises:
        UserError: if it does not.
    """
    if not 0 <= label_smoothing < 1:
        raise UserError(f"label_smoothing must lie in [0, 1), not {label_smoothing}.")
