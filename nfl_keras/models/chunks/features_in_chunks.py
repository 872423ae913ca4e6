"""Defines how the features of a large batch, and their gradient, are computed by chunks."""

import typing
from collections.abc import Callable

import keras
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.models.embedder import Embedder
from nfl_keras.typing import Tensor

if typing.TYPE_CHECKING or keras.config.backend() == "tensorflow":
    from nfl_keras.models.chunks.tensorflow_chunks import tensorflow_chunks as _by_chunk
elif keras.config.backend() == "jax":
    from nfl_keras.models.chunks.jax_chunks import jax_chunks as _by_chunk
elif keras.config.backend() == "torch":
    from nfl_keras.models.chunks.torch_chunks import torch_chunks as _by_chunk


def features_in_chunks(
    features_of: Callable[[Tensor], Tensor], embedder: Embedder, images: Tensor, chunk_size: int
) -> Tensor:
    """Computes features of a batch such that memory holds the layers' outputs of one chunk alone.

    The first pass keeps nothing but the features. Where the gradient is taken, each chunk goes
    through the network again, with its part of the gradient. Gradients of weights are those of
    one pass over all images, up to rounding, for a network that computes each image on its own.
    In the second pass random layers draw the same again, and moving statistics stay as they are:
    the first pass has updated them once, by the mean over the chunks.

    Chunk k of K has the images k, k + K, k + 2K, ..., so that each holds images of all views and
    most classes. All chunks have one size, at most `chunk_size`. To fill the last places, a few
    images go through the network twice. They count twice in batch statistics, and once in all
    else.

    Args:
        features_of: function from `[n, ...]` to the features `[n, C]`.
        embedder: `Embedder` that has the layers of `features_of`.
        images: `[B, ...]`. The gradient does not reach them.
        chunk_size: int > 0.

    Returns:
        `[B, C]`.

    Raises:
        UserError: if a layer adds a loss in its call, or exchanges statistics between replicas.

    Reference: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited
    Setup", section 3 (GradCache).
    """
    layers = list(embedder.backbone._flatten_layers())
    for layer in layers:
        if layer.trainable and getattr(layer, "synchronized", False):
            raise UserError(
                f"chunk_size cannot synchronize the batch statistics of the layer {layer.name!r}; "
                f"leave out chunk_size, or freeze_batch_norm instead of synchronize_batch_norm."
            )

    def checked_features_of(chunk: Tensor) -> Tensor:
        features = features_of(chunk)
        for layer in layers:
            if layer._get_own_losses():
                raise UserError(
                    f"chunk_size cannot divide the loss that the layer {layer.name!r} adds in its "
                    f"call; leave out chunk_size or that loss."
                )
        return features

    size = ops.shape(images)[0]
    count = (size + chunk_size - 1) // chunk_size
    of_chunk = (size + count - 1) // count
    positions = ops.arange(count)[:, None] + count * ops.arange(of_chunk)[None, :]
    features = _by_chunk(checked_features_of, embedder, images, positions % size)
    in_order = ops.swapaxes(features, 0, 1)
    return ops.reshape(in_order, (-1, features.shape[-1]))[:size]
