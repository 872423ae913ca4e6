"""Defines the call of a random layer whose draws do not depend on the number of replicas."""

from collections.abc import Callable

from nfl_keras.distribution.batch_share import BatchShare
from nfl_keras.typing import Tensor


def call_in_global_batch(
    layer: Callable[..., Tensor], rows: Tensor, training: bool | None
) -> Tensor:
    """Calls a random layer on a replica's rows as part of the global batch.

    On every replica the layer draws for the whole batch, and the replica keeps the draws of its
    own rows. The draws therefore do not depend on the number of replicas. Backends other than
    TensorFlow have one replica.

    Args:
        layer: layer that draws for each row on its own, called as `layer(rows, training=True)`.
        rows: `[b, ...]`.
        training: bool. If false, the layer is called on the rows alone.

    Returns:
        `[b, ...]`, the layer's output for the rows.

    Example:

    >>> from nfl_keras.distribution.call_in_global_batch import call_in_global_batch
    >>> layer = nfl.layers.GaussianInputNoise(seed=0)
    >>> call_in_global_batch(layer, np.ones((4, 8, 8, 3)), training=True).shape
    TensorShape([4, 8, 8, 3])
    """
    if not training:
        return layer(rows, training=False)
    share = BatchShare.of(rows)
    if share.replicas == 1:
        return layer(rows, training=True)
    return share.take(layer(share.place(rows), training=True))
