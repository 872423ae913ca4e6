"""L_N: each noisy embedding must find its own clean one among the batch's."""

import keras
from keras import ops

from nfl_keras.losses.closed_form import closed_form
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss, check_temperature
from nfl_keras.losses.row_blocks import by_row_blocks


def noise_invariance(embeddings, noisy_embeddings, temperature=0.1):
    """Noise-invariance loss L_N ([NIFL] eqs. 2-3).

    Softmax cross-entropy of row i of `noisy_embeddings . embeddings^T / temperature` with
    target i: the anchor is the noisy image, the candidates are the B clean ones, those of
    its own class included. One direction, unlike SimCLR's 2B - 2 candidates.

    Args:
        embeddings: float `[B, D]`, unit vectors of the clean images.
        noisy_embeddings: float `[B, D]`, unit vectors of the same images with noise, in the
            same order. Both are computed with in float32 whatever the dtype.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`.

    Example:

    >>> f = np.eye(3, dtype="float32")
    >>> nfl.losses.noise_invariance(f, f).numpy()
    array([9.079574e-05, 9.079574e-05, 9.079574e-05], dtype=float32)
    """
    check_temperature(temperature)
    return _NoiseInvariance(temperature)(embeddings, noisy_embeddings)


class _NoiseInvariance(keras.Operation):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(self, embeddings, noisy_embeddings):
        return keras.KerasTensor(noisy_embeddings.shape[:1], dtype="float32")

    def call(self, embeddings, noisy_embeddings):
        scaled = ops.cast(noisy_embeddings, "float32") / self.temperature
        return _cross_entropies(ops.cast(embeddings, "float32"), scaled)


@closed_form
def _cross_entropies(clean, noisy):
    """Those of the rows of `noisy . clean^T`, each with the row's own position as target."""
    num_rows, width = ops.shape(clean)

    def similarities(of, positions, among):
        return ops.matmul(ops.take(of, positions, axis=0), ops.transpose(among))

    def forward(positions):
        similarity = similarities(noisy, positions, clean)
        own = ops.take_along_axis(similarity, positions[:, None], axis=1)
        against = ops.logsumexp(similarity, axis=1, keepdims=True)
        return ops.concatenate([against - own, against], axis=1)

    values, against = ops.unstack(by_row_blocks(forward, num_rows, 2), 2, axis=1)

    def gradient(upstream):
        weighted = upstream[:, None] * noisy

        def of_clean(positions):
            similarity = similarities(clean, positions, noisy)
            found = ops.matmul(ops.exp(similarity - against), weighted)
            return found - ops.take(weighted, positions, axis=0)

        def of_noisy(positions):
            similarity = similarities(noisy, positions, clean)
            shares = ops.exp(similarity - ops.take(against, positions, axis=0)[:, None])
            found = ops.matmul(shares, clean) - ops.take(clean, positions, axis=0)
            return ops.take(upstream, positions, axis=0)[:, None] * found

        return tuple(by_row_blocks(side, num_rows, width) for side in (of_clean, of_noisy))

    return values, gradient


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoiseInvarianceLoss(PerAnchorLoss):
    """L_N as a loss object: the clean embeddings as targets, the noisy ones as predictions.

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: as in `keras.losses.Loss`. Defaults to the mean over the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.NoiseInvarianceLoss(temperature=0.1)
    >>> loss(embeddings, noisy_embeddings)
    """

    def __init__(self, temperature=0.1, reduction="sum_over_batch_size", name="noise_invariance"):
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true, y_pred):
        return noise_invariance(y_true, y_pred, self.temperature)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
