"""Defines the weights that a run's embedder begins with."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.files import replacing
from nfl_keras.models import Embedder, start_with_pca
from nfl_keras.models.load_backbone import TINY
from nfl_keras.retrieval import pooled_features
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder

_MOST_PHOTOGRAPHS = 10_000


def start_embedder(
    embedder: Embedder,
    train: ImageSet,
    config: TrainConfig,
    folder: RunFolder,
    strategy: tf.distribute.Strategy,
    features: Callable[[Embedder, ImageSet], np.ndarray] = pooled_features,
) -> list[np.ndarray]:
    """Sets the weights that training begins with, and keeps them in the run's folder.

    A run that resumes takes them from its folder.

    Args:
        embedder: `Embedder` as `build_embedder` returns it.
        train: `ImageSet`. Principal components are those of at most 10,000 of its photographs.
        config: `TrainConfig`.
        folder: `RunFolder`.
        strategy: `tf.distribute.Strategy` that trains.
        features: function that computes pooled features. Defaults to `pooled_features`.

    Returns:
        List of arrays, as `embedder.get_weights()` returns them.

    Raises:
        UserError: if the weights in the folder do not fit the embedder.
    """
    if folder.start.exists():
        with np.load(folder.start, allow_pickle=False) as archive:
            weights = list(archive.values())
        if [array.shape for array in weights] != [tuple(w.shape) for w in embedder.weights]:
            raise UserError(
                f"{str(folder.start)!r} does not fit the model of the run's config.yaml; put "
                f"config.yaml back as it was, or begin another run."
            )
        embedder.set_weights(weights)
        return weights
    if starts_with_pca(embedder, config):
        step = -(-len(train) // _MOST_PHOTOGRAPHS)
        some = train.subset(np.arange(0, len(train), step))
        print(f"projection: principal components of {len(some):,} photographs", flush=True)
        start_with_pca(embedder, features(embedder, some), config.embedder.whitening)
        _agree(embedder, strategy)
    weights = embedder.get_weights()
    with replacing(folder.start) as partial:
        np.savez(partial, *weights)
    return weights


def starts_with_pca(embedder: Embedder, config: TrainConfig) -> bool:
    """Tells whether a run's projection begins as principal components."""
    settings = config.embedder
    if embedder.embedding_dim is None or settings.projection is not None:
        return settings.projection == "pca"
    return settings.backbone != TINY and embedder.embedding_dim <= embedder.feature_dim


def _agree(embedder: Embedder, strategy: tf.distribute.Strategy) -> None:
    """Gives all workers the mean of their projections, which differ by rounding."""
    if strategy.num_replicas_in_sync == 1:
        return
    for weight in embedder.get_layer("projection").weights:
        own = tf.constant(weight.numpy())
        weight.assign(strategy.reduce("MEAN", strategy.run(tf.identity, (own,)), axis=None))
