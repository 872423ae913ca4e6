"""BatchNormalization by TensorFlow's one operation for it, while a step is taken."""

import contextlib
import functools

import keras
import tensorflow as tf
from keras import ops


@contextlib.contextmanager
def fused_batch_norm(model):
    """Within it, BatchNormalization of feature maps `[B, H, W, C]` is one operation each way.

    Keras 3.15 computes it from moments, element by element in float32, whatever the precision,
    and keeps what each operation made for the gradient. Here the same normalization, statistics
    and moving averages come from TensorFlow's own kernel, which stays in the precision of the
    maps and computes in float32 within. The layers themselves are left as they are.

    Args:
        model: `keras.Model`. Its layers that are frozen, synchronized over replicas, renormalize,
            are given a mask or normalize another axis than the last run as Keras has them.
    """
    layers = [layer for layer in model._flatten_layers() if _is_fused(layer)]
    for layer in layers:
        layer.call = functools.partial(_call, layer, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _is_fused(layer):
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.trainable
        and layer.axis in (-1, 3)
        and not layer.synchronized
        and not layer.renorm
        # Replicas are traced in turns, and the first has been here for all of them.
        and "call" not in vars(layer)
    )


def _call(layer, call, inputs, training=None, mask=None):
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
    # The kernel's variance is that of a sample, n / (n - 1) times the one that Keras averages.
    count = ops.cast(tf.size(inputs, tf.int64) // inputs.shape[-1], "float32")
    batch_variance = sample_variance * tf.maximum(count - 1, 1) / count
    kept, added = layer.momentum, 1 - layer.momentum
    layer.moving_mean.assign(kept * mean + added * batch_mean)
    layer.moving_variance.assign(kept * variance + added * batch_variance)
    return outputs
