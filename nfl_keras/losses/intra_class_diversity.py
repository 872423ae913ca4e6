"""Defines L_intra, which keeps an image nearer to its own views than to its class."""

from typing import Any

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.class_sizes import class_sizes, has_positives
from nfl_keras.losses.custom_gradient import custom_gradient
from nfl_keras.losses.map_row_blocks import map_row_blocks
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss
from nfl_keras.typing import Tensor

# Replaces -inf in an exponent. It vanishes beside any similarity, and -inf - (-inf) is NaN.
_ABSENT = -1e9


def intra_class_diversity(
    embeddings: Tensor, positives: Tensor, labels: Tensor, temperature: float = 0.1
) -> Tensor:
    """Computes the intra-class diversity loss L_intra of [NAFL].

    With `s_in = f_i . f_n / temperature`, A(i) the other anchors of i's class and p_vi the
    embeddings of V other views of image i,

        L_intra(i) = sum over v of
            -log(e^(f_i . p_vi / temperature)
                 / (e^(f_i . p_vi / temperature) + sum_{n in A(i)} e^(s_in))).

    The negatives are images of the anchor's own class: L_intra keeps the images of a class
    apart, whereas L_D draws them together. It takes O(B^2) time. The backward pass computes the
    similarities again, and no `[B, B]` tensor is kept for it. Above 2,048 anchors, both passes
    compute 256 rows at a time, with O(B) memory, if B is known while tracing.

    Args:
        embeddings: float `[B, D]`, unit vectors f of the clean images, cast to float32.
        positives: float `[V, B, D]`, embeddings of V other views of each image, in the images'
            order, cast to float32. They may have any length.
        labels: integer `[B]` or `[B, 1]`, class ids.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`; 0 for an anchor that is alone in its class.

    Raises:
        UserError: if `temperature` is not above 0, or `positives` has not three axes.

    Example:

    >>> f = np.eye(4, dtype="float32")
    >>> labels = np.array([0, 0, 0, 1])
    >>> nfl.losses.intra_class_diversity(f, f[None], labels).numpy()
    array([9.0...e-05, 9.0...e-05, 9.0...e-05, 0.0000...e+00], dtype=float32)

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """
    check_temperature(temperature)
    if len(positives.shape) != 3:
        raise UserError(
            f"positives must be [V, B, D], the embeddings of V views, not {positives.shape}; "
            f"a single view is positives[None]."
        )
    return _IntraClassDiversity(temperature)(embeddings, positives, labels)


class _IntraClassDiversity(keras.Operation):
    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(
        self, embeddings: Tensor, positives: Tensor, labels: Tensor
    ) -> keras.KerasTensor:
        return keras.KerasTensor(embeddings.shape[:1], dtype="float32")

    def call(self, embeddings: Tensor, positives: Tensor, labels: Tensor) -> Tensor:
        classes, _ = class_sizes(labels)
        embeddings = ops.cast(embeddings, "float32")
        against = _against_class_mates(classes, self.temperature)(embeddings)
        products = ops.sum(ops.cast(positives, "float32") * embeddings, axis=-1)
        return ops.sum(ops.softplus(against - products / self.temperature), axis=0)


def _against_class_mates(classes, temperature):
    """Returns the function from the embeddings to logsumexp_{n in A(i)} s_in, `[B]`."""

    @custom_gradient
    def against_class_mates(embeddings):
        num_rows, width = ops.shape(embeddings)
        columns = ops.arange(num_rows, dtype="int32")
        scaled = embeddings / temperature

        def similarities(positions):
            """Computes some anchors' similarities `[R, B]`, and which are to A(i)."""
            rows = ops.take(scaled, positions, axis=0)
            same_class = ops.equal(ops.take(classes, positions, axis=0)[:, None], classes)
            another = ops.not_equal(positions[:, None], columns)
            return ops.matmul(rows, ops.transpose(embeddings)), ops.logical_and(same_class, another)

        def forward(positions):
            similarity, mates = similarities(positions)
            return ops.logsumexp(ops.where(mates, similarity, _ABSENT), axis=1, keepdims=True)

        against = map_row_blocks(forward, num_rows, 1)[:, 0]

        def gradient(upstream):
            # da_i/ds_in = e^(s_in - a_i), and s_ij is in a_i and in a_j.
            anchors = ops.stack([against, upstream], axis=1)

            def backward(positions):
                similarity, mates = similarities(positions)
                a, u = ops.split(ops.take(anchors, positions, axis=0), 2, axis=1)
                shares = u * ops.exp(similarity - a) + upstream * ops.exp(similarity - against)
                return ops.matmul(ops.where(mates, shares, 0.0), scaled)

            return map_row_blocks(backward, num_rows, width)

        return against, gradient

    return against_class_mates


@keras.saving.register_keras_serializable(package="nfl_keras")
class IntraClassDiversityLoss(PerAnchorLoss):
    """The loss L_intra for `compile()`, between labels and the embeddings of several views.

    The predictions are `[B, 1 + V, D]`: each image's clean embedding, then the embeddings of its
    V other views.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the
            anchors that have another image of their class in the batch.
        name: str.

    Example:

    >>> clean = keras.Input((8, 8, 3))
    >>> noisy = nfl.layers.WindowShuffle(4)(clean)
    >>> layers = [keras.layers.Flatten(), keras.layers.Dense(2), keras.layers.UnitNormalization()]
    >>> embedder = keras.Sequential(layers)
    >>> views = keras.ops.stack([embedder(clean), embedder(noisy)], axis=1)
    >>> model = keras.Model(clean, views)
    >>> model.compile("adamw", loss=nfl.losses.IntraClassDiversityLoss(temperature=0.1))
    >>> model.output_shape
    (None, 2, 2)
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "intra_class_diversity",
    ) -> None:
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        positives = ops.transpose(y_pred[:, 1:], (1, 0, 2))
        return intra_class_diversity(y_pred[:, 0], positives, y_true, self.temperature)

    def anchors(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return has_positives(y_true)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
