"""What the losses have in common when they stand in `compile()`."""

from keras import ops
from keras.losses import Loss

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
    """

    @property
    def dtype(self):
        # Keras casts `y_true` to this dtype, and class ids collide above 2^24 in float32 and
        # above 256 in bfloat16. None leaves both inputs as they are.
        return None

    def call(self, y_true, y_pred):
        values = self.per_anchor(y_true, y_pred)
        if self.reduction in (None, "none", "sum"):
            return values
        return values * anchor_weights(self.anchors(y_true, y_pred))

    def per_anchor(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} must define per_anchor(y_true, y_pred).")

    def anchors(self, y_true, y_pred):
        return ops.ones(ops.shape(y_pred)[:1], dtype="bool")
