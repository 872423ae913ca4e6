"""Defines L_N, with which each noisy embedding finds its clean one in the batch."""

from typing import Any

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.losses.custom_gradient import custom_gradient
from nfl_keras.losses.map_row_blocks import map_row_blocks
from nfl_keras.losses.per_anchor_loss import PerAnchorLoss
from nfl_keras.typing import Tensor


def noise_invariance(
    embeddings: Tensor, noisy_embeddings: Tensor, temperature: float = 0.1
) -> Tensor:
    """Computes the noise-invariance loss L_N of [NIFL].

    It is the softmax cross-entropy of row i of `noisy_embeddings . embeddings^T / temperature`
    with target i. The anchor is the noisy image. The candidates are all B clean images,
    including the other images of its class. (SimCLR has 2B - 2 candidates, clean and noisy.)

    Args:
        embeddings: float `[B, D]`, unit vectors of the clean images, cast to float32.
        noisy_embeddings: float `[B, D]`, unit vectors of the same images with noise, in the
            same order, cast to float32.
        temperature: float > 0. Defaults to `0.1`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> f = np.eye(3, dtype="float32")
    >>> nfl.losses.noise_invariance(f, f).numpy()
    array([9.0...e-05, 9.0...e-05, 9.0...e-05], dtype=float32)

    Reference: [NIFL] eqs. 2-3, doi 10.1038/s41598-025-97528-9.
    """
    check_temperature(temperature)
    return _NoiseInvariance(temperature)(embeddings, noisy_embeddings)


class _NoiseInvariance(keras.Operation):
    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def compute_output_spec(
        self, embeddings: Tensor, noisy_embeddings: Tensor
    ) -> keras.KerasTensor:
        return keras.KerasTensor(noisy_embeddings.shape[:1], dtype="float32")

    def call(self, embeddings: Tensor, noisy_embeddings: Tensor) -> Tensor:
        scaled = ops.cast(noisy_embeddings, "float32") / self.temperature
        return _cross_entropies(ops.cast(embeddings, "float32"), scaled)


@custom_gradient
def _cross_entropies(clean, noisy):
    """Computes the cross-entropy of each row of `noisy . clean^T`, with its position as target."""
    num_rows, width = ops.shape(clean)

    def similarities(of, positions, among):
        return ops.matmul(ops.take(of, positions, axis=0), ops.transpose(among))

    def forward(positions):
        similarity = similarities(noisy, positions, clean)
        own = ops.take_along_axis(similarity, positions[:, None], axis=1)
        against = ops.logsumexp(similarity, axis=1, keepdims=True)
        return ops.concatenate([against - own, against], axis=1)

    values, against = ops.unstack(map_row_blocks(forward, num_rows, 2), 2, axis=1)

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

        return tuple(map_row_blocks(side, num_rows, width) for side in (of_clean, of_noisy))

    return values, gradient


@keras.saving.register_keras_serializable(package="nfl_keras")
class NoiseInvarianceLoss(PerAnchorLoss):
    """The loss L_N as an object, between clean embeddings (targets) and noisy ones (predictions).

    Args:
        temperature: float > 0. Defaults to `0.1`.
        reduction: str or `None`, as in `keras.losses.Loss`. Defaults to the mean over the batch.
        name: str.

    Example:

    >>> loss = nfl.losses.NoiseInvarianceLoss(temperature=0.1)
    >>> f = np.eye(3, dtype="float32")
    >>> round(float(loss(f, f[::-1])), 2)
    6.67
    """

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "noise_invariance",
    ) -> None:
        super().__init__(reduction=reduction, name=name)
        check_temperature(temperature)
        self.temperature = temperature

    def per_anchor(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return noise_invariance(y_true, y_pred, self.temperature)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
