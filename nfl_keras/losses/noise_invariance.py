"""L_N: each noisy embedding must find its own clean one among the batch's."""

import keras
from keras import ops

from nfl_keras.losses.per_anchor_loss import PerAnchorLoss, check_temperature


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
    embeddings = ops.cast(embeddings, "float32")
    noisy_embeddings = ops.cast(noisy_embeddings, "float32")
    similarity = ops.matmul(noisy_embeddings, ops.transpose(embeddings)) / temperature
    return ops.logsumexp(similarity, axis=1) - ops.diagonal(similarity)


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
