"""What the losses have in common when they stand in `compile()`."""

from keras import ops
from keras.losses import Loss

from nfl_keras.distribution.batch_share import BatchShare
from nfl_keras.errors import UserError
from nfl_keras.losses.anchors import anchor_weights


def check_temperature(temperature):
    """Raises `UserError` unless `temperature` is above 0."""
    if not temperature > 0:
        raise UserError(f"temperature must be above 0, not {temperature}; 0.1 is usual.")


class PerAnchorLoss(Loss):
    """A `keras.losses.Loss` with one float32 value per anchor, over targets left uncast.

    Subclasses define `per_anchor(y_true, y_pred)`, float32 `[B]`, and where some anchors may
    have no term, `anchors(y_true, y_pred)`, bool `[B]`. A mean is then over the anchors that
    have one.

    Under a `tf.distribute` strategy the anchors of a replica meet those of all replicas, with
    gradients: in a plain model's `compile()`, too, what is learned is that of the whole batch, on
    any number of devices or machines. (The loss that Keras reports there is the mean of the
    replicas' shares, which is that of the batch where they are of one size.)
    """

    @property
    def dtype(self):
        # Keras casts `y_true` to this dtype, and class ids collide above 2^24 in float32 and
        # above 256 in bfloat16. None leaves both inputs as they are.
        return None

    def call(self, y_true, y_pred):
        share = BatchShare.of(y_pred)
        if share.replicas == 1:
            return self._values(y_true, y_pred)
        [y_true], [y_pred] = share.gather([y_true]), share.gather([y_pred])
        values = share.take(self._values(y_true, y_pred))
        # Keras takes the mean of each replica's values, and then that over the replicas.
        return values * share.replicas * share.fraction if self._is_mean() else values

    def _values(self, y_true, y_pred):
        values = self.per_anchor(y_true, y_pred)
        if self._is_mean():
            values = values * anchor_weights(self.anchors(y_true, y_pred))
        return values

    def _is_mean(self):
        return self.reduction not in (None, "none", "sum")

    def per_anchor(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} must define per_anchor(y_true, y_pred).")

    def anchors(self, y_true, y_pred):
        return ops.ones(ops.shape(y_pred)[:1], dtype="bool")
