"""Defines NormSoftmax, the softmax over similarities to one proxy per class."""

import keras
from keras import ops

from nfl_keras.losses.check_temperature import check_temperature
from nfl_keras.typing import Tensor


def norm_softmax(
    embeddings: Tensor, labels: Tensor, proxies: Tensor, temperature: float = 0.05
) -> Tensor:
    """Computes the loss NormSoftmax.

    With `s_ik = f_i . p_k / temperature` and y the class of i,

        L(i) = logsumexp_k s_ik - s_iy.

    The paper's network also has a LayerNorm before the embedding is scaled to unit length.
    pytorch-metric-learning's `NormalizedSoftmaxLoss` is the same.

    Args:
        embeddings: float `[B, D]`, unit vectors, cast to float32.
        labels: integer `[B]` or `[B, 1]`, in `0 .. K - 1`.
        proxies: float `[K, D]`, unit vectors, cast to float32.
        temperature: float > 0. Defaults to `0.05`.

    Returns:
        float32 `[B]`.

    Raises:
        UserError: if `temperature` is not above 0.

    Example:

    >>> proxies = np.eye(3, 4, dtype="float32")
    >>> f = np.eye(4, dtype="float32")[[0, 3]]
    >>> nfl.losses.norm_softmax(f, np.array([0, 2]), proxies, temperature=0.5).numpy().round(3)
    array([0.24 , 1.099], dtype=float32)

    Reference: Zhai and Wu, Classification is a strong baseline for deep metric learning, BMVC
    2019.
    """
    check_temperature(temperature)
    proxies = ops.cast(proxies, "float32")
    similarities = ops.matmul(ops.cast(embeddings, "float32"), ops.transpose(proxies))
    return keras.losses.sparse_categorical_crossentropy(
        ops.reshape(labels, (-1,)), similarities / temperature, from_logits=True
    )
