"""Defines Proxy-Anchor, which sets each proxy against the batch."""

from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.reductions import FAR, count_of, logsumexp_over
from nfl_keras.typing import Tensor


def proxy_anchor(
    embeddings: Tensor,
    labels: Tensor,
    proxies: Tensor,
    margin: float = 0.1,
    scale: float = 32.0,
) -> Tensor:
    """Computes the loss Proxy-Anchor, spread over the images of the batch.

    With `s_ki = p_k . f_i`, I(k) the images of k's class and J(k) the other images,

        L = mean over k with images of log(1 + sum_{i in I(k)} e^(-scale (s_ki - margin)))
          + mean over all k of log(1 + sum_{j in J(k)} e^(scale (s_kj + margin))).

    In the paper a proxy is the anchor. Here each logarithm is shared out among the images of its
    sum, in proportion to their parts of the sum, and multiplied by B. The mean over the batch is
    then the paper's L, and so is its gradient. pytorch-metric-learning's `ProxyAnchorLoss` is
    the same L.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        proxies: float `[K, D]`, unit vectors, cast to float32.
        margin: float >= 0. Defaults to `0.1`.
        scale: float > 0. Defaults to `32.0`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if a setting is out of its range.

    Example:

    >>> proxies = np.eye(2, dtype="float32")
    >>> f = np.eye(2, dtype="float32")[[0, 0, 1]]
    >>> nfl.losses.proxy_anchor(f, np.array([0, 0, 1]), proxies, scale=1.0).numpy().round(3)
    array([1.321, 1.321, 1.628], dtype=float32)

    Reference: Kim et al., Proxy anchor loss for deep metric learning, CVPR 2020, eq. 4.
    """
    if not margin >= 0 or not scale > 0:
        raise UserError(
            f"margin must be 0 or more and scale above 0, not {margin} and {scale}; 0.1 and 32 are "
            f"usual."
        )
    proxies = ops.cast(proxies, "float32")
    similarities = ops.matmul(proxies, ops.transpose(ops.cast(embeddings, "float32")))
    classes = ops.arange(proxies.shape[0], dtype="int32")
    own = ops.equal(classes[:, None], ops.cast(ops.reshape(labels, (-1,)), "int32"))
    pulls = _shares(own, -scale * (similarities - margin))
    pushes = _shares(ops.logical_not(own), scale * (similarities + margin))
    with_images = ops.sum(ops.cast(ops.any(own, axis=1), "float32"))
    parts = pulls / ops.maximum(with_images, 1.0) + pushes / proxies.shape[0]
    return ops.sum(parts, axis=0) * count_of(ops.ones_like(own))[0]


def _shares(chosen, exponents):
    """Computes `log(1 + sum e^x)` over the chosen entries of each row, shared out among them."""
    sums = logsumexp_over(chosen, exponents)[:, None]
    return ops.exp(ops.where(chosen, exponents, -FAR) - sums) * ops.softplus(sums)
