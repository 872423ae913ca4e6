"""Defines the base class of the losses for `compile()`."""

from keras import ops
from keras.losses import Loss

from nfl_keras.distribution.batch_share import BatchShare
from nfl_keras.losses.anchor_weights import anchor_weights
from nfl_keras.typing import Tensor


class PerAnchorLoss(Loss):
    """A `keras.losses.Loss` with one float32 value per anchor, which leaves its targets uncast.

    A subclass defines `per_anchor(y_true, y_pred)`, float32 `[B]`. If some anchors may have no
    term, it also defines `anchors(y_true, y_pred)`, bool `[B]`, and a mean is then the mean over
    the anchors that have a term.

    Under a `tf.distribute` strategy the loss compares each replica's anchors with the anchors of
    all replicas, with gradients. A model therefore learns from the whole batch on any number of
    devices or machines. (Keras reports the mean of the replicas' losses, which is the loss of
    the batch if all replicas hold equally many images.)
    """

    @property
    def dtype(self) -> None:
        # Keras casts `y_true` to this dtype, and class ids collide above 2^24 in float32 and
        # above 256 in bfloat16. None leaves both inputs as they are.
        return None

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        share = BatchShare.of(y_pred)
        if share.replicas == 1:
            return self._values(y_true, y_pred)
        [y_true], [y_pred] = share.gather([y_true]), share.gather([y_pred])
        values = share.take(self._values(y_true, y_pred))
        # Keras takes the mean of each replica's values, then the mean over the replicas.
        return values * share.replicas * share.fraction if self._is_mean() else values

    def _values(self, y_true, y_pred):
        values = self.per_anchor(y_true, y_pred)
        if self._is_mean():
            values = values * anchor_weights(self.anchors(y_true, y_pred))
        return values

    def _is_mean(self):
        return self.reduction not in (None, "none", "sum")

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Computes the loss of each anchor, float32 `[B]`."""
        raise NotImplementedError(f"{type(self).__name__} must define per_anchor(y_true, y_pred).")

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Finds the anchors that have a term, bool `[B]`. By default all have one."""
        return ops.ones(ops.shape(y_pred)[:1], dtype="bool")
