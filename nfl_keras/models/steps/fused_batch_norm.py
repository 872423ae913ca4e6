"""BatchNormalization by TensorFlow's fused operation, during a training step."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf
from keras import ops

from nfl_keras.typing import Tensor


@contextlib.contextmanager
def fused_batch_norm(model: keras.Model) -> Iterator[None]:
    """Runs BatchNormalization of feature maps `[B, H, W, C]` as one operation in each direction.

    Keras 3.15 computes it from moments, element by element in float32 under any dtype policy,
    and keeps the result of each operation for the gradient. TensorFlow's fused kernel gives the
    same normalization, statistics and moving averages. It takes and returns maps in their own
    dtype and computes in float32. The context leaves the layers unchanged.

    Keras' own implementation still runs a layer that is frozen, is synchronized over replicas,
    renormalizes, gets a mask, or normalizes an axis other than the last.

    Args:
        model: `keras.Model`.
    """
    layers = [layer for layer in model._flatten_layers() if _is_fused(layer)]
    for layer in layers:
        layer.call = functools.partial(_call, layer, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _is_fused(layer: keras.layers.Layer) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.trainable
        and layer.axis in (-1, 3)
        and not layer.synchronized
        and not layer.renorm
        # TensorFlow traces the replicas one after the other, and the first replaces all calls.
        and "call" not in vars(layer)
    )


def _call(
    layer: keras.layers.BatchNormalization,
    call: Callable[..., Tensor],
    inputs: Tensor,
    training: bool | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    usual = not training or mask is not None or inputs.shape.rank != 4
    if usual or inputs.dtype == tf.float64:
        return call(inputs, training=training, mask=mask)
    mean, variance = map(tf.convert_to_tensor, (layer.moving_mean, layer.moving_variance))
    outputs, batch_mean, sample_variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.convert_to_tensor(layer.gamma) if layer.scale else tf.ones_like(mean),
        offset=tf.convert_to_tensor(layer.beta) if layer.center else tf.zeros_like(mean),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=layer.epsilon,
        is_training=True,
    )
    # The kernel returns the sample variance, n / (n - 1) times the variance that Keras averages.
    count = ops.cast(tf.size(inputs, tf.int64) // inputs.shape[-1], "float32")
    batch_variance = sample_variance * tf.maximum(count - 1, 1) / count
    kept, added = layer.momentum, 1 - layer.momentum
    layer.moving_mean.assign(kept * mean + added * batch_mean)
    layer.moving_variance.assign(kept * variance + added * batch_variance)
    return outputs
