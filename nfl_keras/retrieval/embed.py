"""Embeddings of a whole image set."""

import numpy as np
from keras import ops

from nfl_keras.data.batches import inference_batches
from nfl_keras.errors import UserError


def embed(embedder, image_set, crops=3, batch_size=64, image_size=None):
    """Embeds every photograph of a set.

    The shorter side is brought to `image_size`; three square crops are embedded (the centre
    and the two ends of the longer side), and the mean of their unit vectors is brought back
    to length 1.

    Args:
        embedder: `keras.Model` from `[B, S, S, 3]` in 0..255 to unit vectors `[B, D]`.
        image_set: `nfl.data.ImageSet`.
        crops: 3, or 1 for the centre alone. Defaults to `3`.
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
    if not len(image_set):
        raise UserError("there are no photographs to embed: the image set is empty.")
    size = embedder.image_size if image_size is None else image_size
    forward = _forward(embedder)
    vectors = []
    for batch in inference_batches(image_set, size, crops, batch_size):
        flat = ops.reshape(batch, (-1, size, size, batch.shape[-1]))
        of_crops = ops.convert_to_numpy(forward(flat))
        means = of_crops.reshape(-1, crops, of_crops.shape[-1]).mean(axis=1)
        vectors.append(means / np.linalg.norm(means, axis=1, keepdims=True))
    return np.concatenate(vectors).astype(np.float32)


def _forward(embedder):
    """The embedder as a function that takes a batch once, whatever it is trained on."""
    strategy = getattr(embedder, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return embedder.predict_on_batch
    # Keras would have each replica predict the whole batch, and give its rows as often.
    import tensorflow as tf

    return tf.function(lambda images: embedder(images, training=False), reduce_retracing=True)
