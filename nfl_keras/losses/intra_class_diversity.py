"""L_intra: a photograph is nearer to its own other views than to others of its class."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.anchors import class_sizes
from nfl_keras.losses.closed_form import closed_form
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss, check_temperature
from nfl_keras.losses.row_blocks import by_row_blocks

# Stands for -inf in an exponent: it vanishes beside any similarity, and -inf - (-inf) is NaN.
_ABSENT = -1e9


def intra_class_diversity(embeddings, positives, labels, temperature=0.1):
    """Intra-class diversity loss L_intra of [NAFL].

    With `s_in = f_i . f_n / temperature`, A(i) the other anchors of i's class and p_vi the
    embeddings of V other views of image i,

        L_intra(i) = sum over v of
            -log(e^(f_i . p_vi / temperature)
                 / (e^(f_i . p_vi / temperature) + sum_{n in A(i)} e^(s_in))).

    The negatives are of the anchor's own class: it keeps the images of a class apart, where
    L_D draws them together. O(B^2) time. Nothing of B x B is kept for the backward pass, which
    computes the similarities anew; above 2,048 anchors, if B is known while tracing, 256 rows
    at a time are, in both passes: O(B) memory.

    Args:
        embeddings: float `[B, D]`, unit vectors f of the clean images.
        positives: float `[V, B, D]`, embeddings of V other views of each image, in the images'
            order. They need not have unit length. All is computed in float32 whatever the
            dtype.
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
    array([9.0796e-05, 9.0796e-05, 9.0796e-05, 0.0000e+00], dtype=float32)

    Reference: [NAFL], doi 10.32604/csse.2023.032047.
    """
    check_temperature(temperature)
    if len(positives.shape) != 3:
        raise UserError(
            f"positives must be [V, B, D], the embeddings of V views, not {positives.shape}; "
            f"a single view is positives[None]."
        )
    return _IntraClassDiversity(temperature)(embeddings, positives, labels)


def has_class_mates(labels):
    """The anchors that have this loss: those with another image of their class in the batch.

    Args:
        labels: integer `[B]` or `[B, 1]`.

    Returns:
        bool `[B]`.
    """
    return class_sizes(labels)[1] > 1


class _IntraClassDiversity(keras.Operation):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(self, embeddings, positives, labels):
        return keras.KerasTensor(embeddings.shape[:1], dtype="float32")

    def call(self, embeddings, positives, labels):
        classes, _ = class_sizes(labels)
        embeddings = ops.cast(embeddings, "float32")
        against = _against_class_mates(classes, self.temperature)(embeddings)
        products = ops.sum(ops.cast(positives, "float32") * embeddings, axis=-1)
        return ops.sum(ops.softplus(against - products / self.temperature), axis=0)


def _against_class_mates(classes, temperature):
    """Function from the embeddings to logsumexp_{n in A(i)} s_in, `[B]`."""

    @closed_form
    def against_class_mates(embeddings):
        num_rows, width = ops.shape(embeddings)
        columns = ops.arange(num_rows, dtype="int32")
        scaled = embeddings / temperature

        def similarities(positions):
            """Of some anchors, `[R, B]`, and which of them are to other images of the class."""
            rows = ops.take(scaled, positions, axis=0)
            same_class = ops.equal(ops.take(classes, positions, axis=0)[:, None], classes)
            another = ops.not_equal(positions[:, None], columns)
            return ops.matmul(rows, ops.transpose(embeddings)), ops.logical_and(same_class, another)

        def forward(positions):
            similarity, mates = similarities(positions)
            return ops.logsumexp(ops.where(mates, similarity, _ABSENT), axis=1, keepdims=True)

        against = by_row_blocks(forward, num_rows, 1)[:, 0]

        def gradient(upstream):
            # da_i/ds_in = e^(s_in - a_i), and s_ij is in a_i and in a_j.
            anchors = ops.stack([against, upstream], axis=1)

            def backward(positions):
                similarity, mates = similarities(positions)
                a, u = ops.split(ops.take(anchors, positions, axis=0), 2, axis=1)
                shares = u * ops.exp(similarity - a) + upstream * ops.exp(similarity - against)
                return ops.matmul(ops.where(mates, shares, 0.0), scaled)

            return by_row_blocks(backward, num_rows, width)

        return against, gradient

    return against_class_mates


@keras.saving.register_keras_serializable(package="nfl_keras")
class IntraClassDiversityLoss(PerAnchorLoss):
    """L_intra as a loss for `compile()`: labels against the embeddings of several views.

    The predictions are `[B, 1 + V, D]`: of each image the clean embedding first, then those of
    its V other views.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: as in `keras.losses.Loss`; the default is the mean over the anchors that
            have another image of their class in the batch.
        name: str.

    Example:

    >>> clean = keras.Input((224, 224, 3))
    >>> noisy = nfl.layers.WindowShuffle(8)(clean)
    >>> views = keras.ops.stack([embedder(clean), embedder(noisy)], axis=1)
    >>> model = keras.Model(clean, views)
    >>> model.compile("adamw", loss=nfl.losses.IntraClassDiversityLoss(temperature=0.1))
    """

    def __init__(
        self, temperature=0.1, reduction="sum_over_batch_size", name="intra_class_diversity"
    ):
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true, y_pred):
        positives = ops.transpose(y_pred[:, 1:], (1, 0, 2))
        return intra_class_diversity(y_pred[:, 0], positives, y_true, self.temperature)

    def anchors(self, y_true, y_pred):
        return has_class_mates(y_true)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
