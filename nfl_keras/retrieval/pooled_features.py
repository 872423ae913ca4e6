"""Pooled features of a whole image set."""

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.models import Embedder
from nfl_keras.progress import Progress
from nfl_keras.retrieval.predict_crops import predict_crops


def pooled_features(
    embedder: Embedder, image_set: ImageSet, batch_size: int = 64, show_progress: bool = True
) -> np.ndarray:
    """Computes the pooled features z of the center crop of every photograph of a set.

    Args:
        embedder: `nfl.models.Embedder`.
        image_set: `nfl.data.ImageSet`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        show_progress: bool, see `embed`. Defaults to `True`.

    Returns:
        float32 `[N, feature_dim]`, in the set's order.

    Raises:
        UserError: if the set is empty, or photographs cannot be decoded.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> nfl.retrieval.pooled_features(embedder, query).shape
    (3, 160)
    """
    model = keras.Model(embedder.inputs, embedder.get_layer("features").output)
    batches = predict_crops(model, image_set, embedder.image_size, 1, batch_size)
    with Progress(len(image_set), "photographs embedded", show_progress) as progress:
        centers = [of_crops[:, 0] for of_crops in progress.counted(batches)]
    return np.concatenate(centers).astype(np.float32)
