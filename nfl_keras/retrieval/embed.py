"""Embeddings of a whole image set."""

import numpy as np

from nfl_keras.retrieval.forward import forward


def embed(embedder, image_set, crops=3, batch_size=64, image_size=None):
    """Embeds every photograph of a set.

    The shorter side is brought to `image_size`; three square crops are embedded (the center
    and the two ends of the longer side), and the mean of their unit vectors is brought back
    to length 1.

    Args:
        embedder: `keras.Model` from `[B, S, S, 3]` in 0..255 to unit vectors `[B, D]`.
        image_set: `nfl.data.ImageSet`.
        crops: 3, or 1 for the center alone. Defaults to `3`.
        batch_size: int, photographs at a time. Defaults to `64`.
        image_size: int, side of the crops in pixels. Defaults to `embedder.image_size`.

    Returns:
        float32 `[N, D]`, unit vectors, in the set's order.

    Raises:
        UserError: if the set is empty, or for another number of crops.

    Example:

    >>> query = nfl.data.load("blooms", split="query")
    >>> vectors = nfl.retrieval.embed(embedder, query, crops=1)

    Reference: [NIFL], inference protocol.
    """
    size = embedder.image_size if image_size is None else image_size
    vectors = []
    for of_crops in forward(embedder, image_set, size, crops, batch_size):
        means = of_crops.mean(axis=1)
        vectors.append(means / np.linalg.norm(means, axis=1, keepdims=True))
    return np.concatenate(vectors).astype(np.float32)
