"""Embeddings of a folder as it is: photographs that cannot be used are left out."""

import keras
import numpy as np
from keras import ops

from nfl_keras.data import ImageSet
from nfl_keras.data.batches.inference_batches import usable_batches
from nfl_keras.data.decoding.photograph_error import DAMAGED, NO_DIRECTION
from nfl_keras.errors import explain_out_of_memory
from nfl_keras.progress import Progress
from nfl_keras.retrieval.predict_crops import predict_function


def embed_usable(
    embedder: keras.Model,
    image_set: ImageSet,
    crops: int = 3,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> tuple[np.ndarray, dict[int, str]]:
    """Embeds every photograph of a set that can be used, and says why others cannot.

    Args:
        embedder: `keras.Model` from `[B, S, S, 3]` in 0..255 to unit vectors `[B, D]`, with S as
            its `image_size`.
        image_set: `nfl.data.ImageSet`.
        crops: 3 or 1, see `embed`. Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        progress: `Progress` that counts the photographs. Defaults to `None`.

    Returns:
        `(embeddings, failed)`: float32 `[N, D]`, as `embed` computes them, zeros for photographs
        that cannot be used; and a dict from their positions to the reasons.

    Raises:
        UserError: for another number of crops, or if there is not enough memory.

    Example:

    >>> from nfl_keras.retrieval.embed_usable import embed_usable
    >>> files = [nfl.data.load("blooms").read(0), b""]
    >>> image_set = nfl.data.ImageSet(["a", "b"], [0, 0], ["rose"], files.__getitem__)
    >>> vectors, failed = embed_usable(embedder, image_set)
    >>> vectors.shape, failed
    ((2, 16), {1: 'zero bytes'})
    """
    size = embedder.image_size
    embeddings = np.zeros((len(image_set), embedder.output_shape[-1]), np.float32)
    reason_of = np.full(len(image_set), DAMAGED, dtype=object)
    batches, reasons = usable_batches(image_set, size, crops, batch_size)
    predict = predict_function(embedder)
    with explain_out_of_memory(
        f"{batch_size} photographs at a time", f"lower batch_size (now {batch_size})"
    ):
        for positions, of_crops in batches:
            flat = ops.reshape(of_crops, (-1, size, size, 3))
            vectors = ops.convert_to_numpy(predict(flat))
            means = vectors.reshape(-1, crops, vectors.shape[-1]).mean(axis=1)
            norms = np.linalg.norm(means, axis=1, keepdims=True)
            good = (np.isfinite(norms) & (norms > 0))[:, 0]
            embeddings[positions[good]] = means[good] / norms[good]
            reason_of[positions[good]] = None
            reason_of[positions[~good]] = NO_DIRECTION
            if progress is not None:
                progress.add(len(positions))
    for position, reason in reasons.items():
        reason_of[position] = reason
    return embeddings, {i: reason for i, reason in enumerate(reason_of) if reason is not None}
