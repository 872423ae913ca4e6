"""Embeddings of a whole image set."""

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.progress import Progress
from nfl_keras.retrieval.average_crops import average_crops
from nfl_keras.retrieval.predict_crops import predict_crops


def embed(
    embedder: keras.Model,
    image_set: ImageSet,
    crops: int = 3,
    batch_size: int = 64,
    image_size: int | None = None,
    show_progress: bool = True,
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
        show_progress: bool, whether work that takes longer than a few seconds shows what is done
            and the time left on stderr: as a bar on a terminal, and elsewhere as a line every half
            minute. Defaults to `True`.

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
    of_crops = predict_crops(embedder, image_set, size, crops, batch_size)
    with Progress(len(image_set), "photographs embedded", show_progress) as progress:
        return average_crops(progress.counted(of_crops), image_set)
