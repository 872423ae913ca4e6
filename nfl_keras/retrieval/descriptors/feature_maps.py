"""Defines the feature maps of an image set, batch by batch."""

from collections.abc import Iterator

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.models import Embedder
from nfl_keras.retrieval.predict_crops import predict_crops


def feature_maps(
    embedder: Embedder, image_set: ImageSet, crops: int = 1, batch_size: int = 64
) -> Iterator[np.ndarray]:
    """Yields what an embedder's backbone makes of photographs, before it is pooled.

    Args:
        embedder: `nfl.models.Embedder`.
        image_set: `nfl.data.ImageSet`.
        crops: 1 or 3, see `nfl.retrieval.embed`. Defaults to `1`.
        batch_size: int, photographs in a batch. Defaults to `64`.

    Yields:
        float32 `[<= batch_size, crops, H, W, C]`, in the set's order.

    Raises:
        UserError: if the set is empty, for another number of crops, or if photographs cannot be
            decoded.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> [maps] = nfl.retrieval.descriptors.feature_maps(embedder, query)
    >>> maps.shape
    (3, 1, 1, 1, 160)
    """
    model = keras.Model(embedder.inputs, embedder.get_layer("features").input)
    for maps in predict_crops(model, image_set, embedder.image_size, crops, batch_size):
        yield maps.astype(np.float32)
