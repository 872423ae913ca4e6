"""Defines the stop-gradient softmax loss (SGSL), which draws embeddings to fixed class vectors."""

from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses.pairs.reductions import logsumexp_over
from nfl_keras.typing import Tensor


def stop_gradient_softmax(
    embeddings: Tensor, labels: Tensor, proxies: Tensor, scale: float = 30.0
) -> Tensor:
    """Computes the stop-gradient softmax loss (SGSL).

    With `s_ik = f_i . p_k` and y the class of i,

        L(i) = log(1 + exp(logsumexp_{k != y}(scale s_ik) / scale - s_iy)).

    The scale makes the maximum over other classes soft, and scales nothing else. Proxies get no
    gradient: they are the kernel of a classifier that learns by cross-entropy beside this loss, as
    in `nfl.models.ClassificationModel` with `lambda_sgsl`. A scale of 1 gives the values of
    `norm_softmax` at temperature 1.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        proxies: float `[K, D]`, unit vectors, cast to float32.
        scale: float > 0. Defaults to `30.0`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if `scale` is not above 0.

    Example:

    >>> proxies = np.eye(3, 4, dtype="float32")
    >>> f = np.eye(4, dtype="float32")[[0, 3]]
    >>> nfl.losses.stop_gradient_softmax(f, np.array([0, 2]), proxies).numpy().round(3)
    array([0.32 , 0.705], dtype=float32)

    Reference: Yang et al., Stop-gradient softmax loss for deep metric learning, AAAI 2023, as the
    authors' program computes it (github.com/luyang-NWPU/SGSL).
    """
    if not scale > 0:
        raise UserError(f"scale must be above 0, not {scale}; 30 is usual.")
    proxies = ops.stop_gradient(ops.cast(proxies, "float32"))
    similarities = ops.matmul(ops.cast(embeddings, "float32"), ops.transpose(proxies))
    is_own = ops.one_hot(ops.reshape(labels, (-1,)), proxies.shape[0], dtype="bool")
    own = ops.sum(ops.where(is_own, similarities, 0.0), axis=1)
    others = logsumexp_over(ops.logical_not(is_own), scale * similarities) / scale
    return ops.softplus(others - own)
