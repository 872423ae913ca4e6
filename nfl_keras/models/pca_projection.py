"""Defines a projection that begins as the principal components of the backbone's features."""

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.models.embedder import Embedder
from nfl_keras.models.principal_components import principal_components


def start_with_pca(embedder: Embedder, features: np.ndarray, whitening: float = 0.5) -> None:
    """Sets an embedder's projection to the principal components of pooled features.

    The projection subtracts the mean of the features. Component k is then divided by
    `deviation_k ** whitening`: 0 keeps the distances of the features, 1 gives all components the
    same deviation. The kernel gets the norm that He initialization expects, so that one learning
    rate suits both. The embeddings do not depend on that norm.

    Args:
        embedder: `Embedder` with an `embedding_dim` of at most `feature_dim`.
        features: float `[N, feature_dim]`, N >= 2, pooled features z of training photographs, see
            `nfl.retrieval.pooled_features`.
        whitening: float in 0..1. Defaults to `0.5`.

    Raises:
        UserError: if the embedder has no projection or one of more dimensions than its features,
            or `features` or `whitening` do not fit.

    Example:

    >>> train = nfl.data.load("blooms", split="train").subset(range(32))
    >>> embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    >>> nfl.models.start_with_pca(embedder, nfl.retrieval.pooled_features(embedder, train))
    >>> kernel = embedder.get_layer("projection").kernel.numpy()
    >>> bool(np.allclose(np.linalg.norm(kernel) ** 2, 2 * 16))
    True

    Reference: H. Jegou, O. Chum, Negative evidences and co-occurences in image retrieval: the
    benefit of PCA and whitening, ECCV 2012.
    """
    channels, dimensions = embedder.feature_dim, embedder.embedding_dim
    if dimensions is None or dimensions > channels:
        raise UserError(
            f"principal components give at most {channels} dimensions, as many as the features "
            f"have, and embedding_dim is {dimensions}; lower it, or give projection random."
        )
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or features.shape[1] != channels or len(features) < 2:
        raise UserError(
            f"features must be [N, {channels}] of at least 2 photographs, not "
            f"{list(features.shape)}."
        )
    if not 0 <= whitening <= 1:
        raise UserError(f"whitening must be in 0..1, not {whitening}.")
    mean, variances, components = principal_components(features, dimensions)
    kernel = components / variances ** (whitening / 2)
    kernel *= np.sqrt(2 * dimensions) / np.linalg.norm(kernel)
    embedder.get_layer("projection").set_weights([kernel, -mean @ kernel])
