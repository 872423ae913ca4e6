"""Inference on every crop of every photograph of an image set."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import ops

from nfl_keras.data import ImageSet, inference_batches
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.errors import UserError, explain_out_of_memory
from nfl_keras.typing import Tensor


def predict_crops(
    model: keras.Model, image_set: ImageSet, image_size: int, crops: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Yields the outputs of a model for one batch of photographs after another.

    Args:
        model: `keras.Model` from `[B, S, S, 3]` in 0..255 to `[B, ...]`.
        image_set: `nfl.data.ImageSet`.
        image_size: int, S in pixels. The shorter side is resized to it, and crops are square.
        crops: 3 (the center and the two ends of the longer side), or 1 (the center).
        batch_size: int, photographs in a batch.

    Yields:
        NumPy array `[<= batch_size, crops, ...]`, in the set's order.

    Raises:
        UserError: if the set is empty, for another number of crops, if photographs cannot be
            decoded, which the message names, or if there is not enough memory.
    """
    if not len(image_set):
        raise UserError("there are no photographs to embed or to classify: the image set is empty.")
    predict = predict_function(model)
    with explain_out_of_memory(
        f"{batch_size} photographs at a time",
        f"lower crops (now {crops}) or image_size (now {image_size}), or in Python batch_size "
        f"(now {batch_size})",
    ):
        batches = iter(inference_batches(image_set, image_size, crops, batch_size))
        while (batch := _next(batches, image_set)) is not None:
            flat = ops.reshape(batch, (-1, image_size, image_size, batch.shape[-1]))
            outputs = ops.convert_to_numpy(predict(flat))
            yield outputs.reshape(-1, crops, *outputs.shape[1:])


def _next(batches: Iterator[Tensor], image_set: ImageSet) -> Tensor | None:
    with explain_photograph_errors(image_set):
        return next(batches, None)


def predict_function(model: keras.Model) -> Callable[[Tensor], Tensor]:
    """Returns the function that computes a model's outputs of one batch, each row once.

    A batch that is smaller than the first is filled up to its size, so that Keras traces the
    model once.
    """
    predict, size = _predict_function(model), 0

    def predict_filled(images: Tensor) -> Tensor:
        nonlocal size
        count = images.shape[0]
        size = max(size, count)
        filling = [(0, size - count), *[(0, 0)] * (len(images.shape) - 1)]
        return predict(ops.pad(images, filling))[:count]

    return predict_filled


def _predict_function(model: keras.Model) -> Callable[[Tensor], Tensor]:
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return model.predict_on_batch
    # On several replicas, Keras' `predict_on_batch` gives every replica the whole batch and
    # returns each row once per replica.
    import tensorflow as tf

    return tf.function(lambda images: model(images, training=False), reduce_retracing=True)
