"""Defines SoftTriple, the softmax over similarities to several proxies per class."""

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.typing import Tensor


def soft_triple(
    embeddings: Tensor,
    labels: Tensor,
    proxies: Tensor,
    margin: float = 0.01,
    scale: float = 20.0,
    temperature: float = 0.1,
    closeness: float = 0.2,
) -> Tensor:
    """Computes the loss SoftTriple.

    With `s_ikm = f_i . p_km`, y the class of i and w a softmax over the proxies of one class,

        S_ik = sum_m w_m s_ikm, w = softmax_m(s_ikm / temperature),
        L(i) = logsumexp_k scale (S_ik - margin [k = y]) - scale (S_iy - margin)
             + closeness sum_k sum_{m < n} |p_km - p_kn| / (K M (M - 1)).

    The last term has no anchor and is the same for each. It draws together proxies that a class
    does not need. pytorch-metric-learning's `SoftTripleLoss` has the term only with its
    `SparseCentersRegularizer`.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        proxies: float `[K, M, D]`, unit vectors, cast to float32.
        margin: float >= 0. Defaults to `0.01`.
        scale: float > 0. Defaults to `20.0`.
        temperature: float > 0. Defaults to `0.1`.
        closeness: float >= 0. Defaults to `0.2`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if a setting is out of its range.

    Example:

    >>> proxies = np.eye(4, dtype="float32").reshape(2, 2, 4)
    >>> f = np.eye(4, dtype="float32")[:2]
    >>> nfl.losses.soft_triple(f, np.array([0, 1]), proxies, scale=1.0).numpy().round(3)
    array([0.457, 1.462], dtype=float32)

    Reference: Qian et al., SoftTriple loss: deep metric learning without triplet sampling, ICCV
    2019.
    """
    check_temperature(temperature)
    if not min(margin, closeness) >= 0 or not scale > 0:
        raise UserError(
            f"margin and closeness must be 0 or more and scale above 0, not {margin}, {closeness} "
            f"and {scale}; 0.01, 0.2 and 20 are usual."
        )
    proxies = ops.cast(proxies, "float32")
    num_classes, num_proxies, width = proxies.shape
    flat = ops.reshape(proxies, (num_classes * num_proxies, width))
    similarities = ops.matmul(ops.cast(embeddings, "float32"), ops.transpose(flat))
    similarities = ops.reshape(similarities, (-1, num_classes, num_proxies))
    # Keras warns of a softmax over an axis of length 1.
    scaled = similarities / temperature
    weights = ops.exp(scaled - ops.logsumexp(scaled, axis=2, keepdims=True))
    labels = ops.reshape(labels, (-1,))
    margins = margin * ops.one_hot(labels, num_classes, dtype="float32")
    logits = scale * (ops.sum(weights * similarities, axis=2) - margins)
    values = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return values + closeness * _mean_distance(proxies) / 2.0


def _mean_distance(proxies):
    """Computes the mean distance of two proxies of one class."""
    num_classes, num_proxies, _ = proxies.shape
    cosines = ops.matmul(proxies, ops.transpose(proxies, (0, 2, 1)))
    squared = 2.0 - 2.0 * cosines
    # Equal proxies have a distance without a derivative, which is then taken as 0.
    apart = ops.logical_and(squared > 1e-6, ops.eye(num_proxies) == 0)
    distances = ops.where(apart, ops.sqrt(ops.where(apart, squared, 1.0)), 0.0)
    return ops.sum(distances) / (num_classes * max(num_proxies * (num_proxies - 1), 1))
