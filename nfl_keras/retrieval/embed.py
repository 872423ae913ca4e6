"""Embeddings of a whole image set."""

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.data.decoding.photograph_error import NO_DIRECTION
from nfl_keras.errors import UserError
from nfl_keras.retrieval.predict_crops import predict_crops


def embed(
    embedder: keras.Model,
    image_set: ImageSet,
    crops: int = 3,
    batch_size: int = 64,
    image_size: int | None = None,
) -> np.ndarray:
    """Embeds every photograph of a set.

    The shorter side is resized to `image_size`, and each crop is embedded. The mean of the
    crops' unit vectors, divided by its norm, is the photograph's embedding.

    Args:
        embedder: `keras.Model` from `[B, S, S, 3]` in 0..255 to unit vectors `[B, D]`.
        image_set: `nfl.data.ImageSet`.
        crops: 3 square crops (the center and the two ends of the longer side), or 1 (the
            center). Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        image_size: int, side of the crops in pixels. Defaults to `embedder.image_size`.

    Returns:
        float32 `[N, D]`, unit vectors, in the set's order.

    Raises:
        UserError: if the set is empty, for another number of crops, or if embeddings of
            photographs have no direction, since they are zero or not finite.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> inputs = keras.Input((None, None, 3))
    >>> backbone = keras.Model(inputs, keras.layers.Conv2D(8, 3)(inputs))
    >>> embedder = nfl.models.Embedder(backbone, embedding_dim=4, image_size=32)
    >>> nfl.retrieval.embed(embedder, query, crops=1).shape
    (3, 4)

    Reference: [NIFL], inference protocol.
    """
    size = embedder.image_size if image_size is None else image_size
    batches = predict_crops(embedder, image_set, size, crops, batch_size)
    means = np.concatenate([of_crops.mean(axis=1) for of_crops in batches])
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    lost = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if lost.size:
        raise UserError(
            f"{lost.size:,} of {len(means):,} photographs cannot be used, the first of them "
            f"{str(image_set.ids[lost[0]])!r}: {NO_DIRECTION}; replace or remove them, or train "
            f"with a lower learning rate if they are many, as weights that have diverged make them."
        )
    return (means / norms).astype(np.float32)
