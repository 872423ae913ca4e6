"""Defines the descriptors of a whole image set."""

from collections.abc import Callable

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.models import Embedder
from nfl_keras.progress import Progress
from nfl_keras.retrieval.average_crops import average_crops
from nfl_keras.retrieval.descriptors.feature_maps import feature_maps
from nfl_keras.retrieval.predict_crops import predict_crops


def describe(
    image_set: ImageSet,
    descriptor: Callable[[np.ndarray], np.ndarray],
    embedder: Embedder | None = None,
    crops: int = 1,
    batch_size: int = 64,
    image_size: int = 224,
    show_progress: bool = True,
) -> np.ndarray:
    """Describes every photograph of a set.

    Args:
        image_set: `nfl.data.ImageSet`.
        descriptor: function from `[B, H, W, C]` to unit vectors `[B, D]`, such as
            `nfl.retrieval.descriptors.spoc`, or `lambda maps: whitening(spoc(maps))`.
        embedder: `nfl.models.Embedder`, whose backbone makes the maps that are described.
            Defaults to `None`: the pixels are described, RGB in 0..255.
        crops: 3 square crops or 1, see `nfl.retrieval.embed`. Defaults to `1`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        image_size: int, side in pixels of the crops that are described without an embedder. An
            embedder has its own. Defaults to `224`.
        show_progress: bool, see `nfl.retrieval.embed`. Defaults to `True`.

    Returns:
        float32 `[N, D]`, unit vectors, in the set's order.

    Raises:
        UserError: see `nfl.retrieval.embed`, and if the backbone gives no feature maps.

    Example:

    >>> query = nfl.data.load("blooms", split="query").subset([0, 1, 2])
    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> spoc = nfl.retrieval.descriptors.spoc
    >>> nfl.retrieval.descriptors.describe(query, spoc, embedder).shape
    (3, 160)
    """
    if embedder is None:
        pixels = keras.Input((image_size, image_size, 3))
        model = keras.Model(pixels, keras.layers.Identity()(pixels))
        batches = predict_crops(model, image_set, image_size, crops, batch_size)
    else:
        batches = feature_maps(embedder, image_set, crops, batch_size)
    described = (
        np.stack([descriptor(of_crop) for of_crop in batch.swapaxes(0, 1)], axis=1)
        for batch in batches
    )
    with Progress(len(image_set), "photographs described", show_progress) as progress:
        return average_crops(progress.counted(described), image_set)
