"""BatchNormalization folded into the convolution before it, for an embedder that learns no more.

At rest the normalization is a product and a sum for each channel. The product goes into the kernel,
and the sum is a bias, which TensorFlow adds within the convolution: two thirds of the time of a
MobileNetV2 are left.
"""

import contextlib
import functools

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


@contextlib.contextmanager
def folded(model):
    """Within it, a model at rest runs without the normalizations that can be folded.

    These are of the channels of feature maps `[B, H, W, C]`, each alone after a convolution
    (`Conv2D`, `DepthwiseConv2D`) in float32 without an activation, in a functional model: rounded
    to fewer bits, other kernels would be other embeddings. Layers of derived classes are left
    alone, and so is everything after the context.

    Args:
        model: `keras.Model`, under Keras' TensorFlow backend.

    Yields:
        list of `tf.Variable`: what the model is computed from, folded or not.
    """
    pairs = _pairs(model)
    weights = {id(variable): variable.value for variable in model.variables}
    try:
        for convolution, normalization in pairs:
            for variable in (*convolution.variables, *normalization.variables):
                del weights[id(variable)]
            kernel, bias = (tf.Variable(array) for array in _arrays(convolution, normalization))
            weights.update({id(variable): variable for variable in (kernel, bias)})
            convolution.call = functools.partial(_call, convolution, kernel, bias)
            normalization.call = lambda maps, **_: maps
        yield list(weights.values())
    finally:
        for layer in (layer for pair in pairs for layer in pair):
            vars(layer).pop("call", None)


def _pairs(model):
    """Each convolution whose only use is to be normalized, and its normalization."""
    parts = model._flatten_layers()
    given_out = {id(t) for part in parts for t in getattr(part, "outputs", None) or ()}
    pairs = []
    for layer in parts:
        if _is_plain_normalization(layer):
            (maps,) = layer._inbound_nodes[0].input_tensors
            before = maps._keras_history.operation
            if before in parts and _is_plain_convolution(before) and id(maps) not in given_out:
                pairs.append((before, layer))
    return pairs


def _is_plain_normalization(layer):
    return (
        type(layer) is layers.BatchNormalization
        and layer.axis in (-1, 3)
        and not layer.renorm
        and len(layer._inbound_nodes) == 1
        and len(layer._inbound_nodes[0].input_tensors) == 1
    )


def _is_plain_convolution(layer):
    return (
        type(layer) in (layers.Conv2D, layers.DepthwiseConv2D)
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "float32"
        and layer.quantization_mode is None
        and len(layer._inbound_nodes) == len(layer._outbound_nodes) == 1
    )


def _arrays(convolution, normalization):
    """The kernel and the bias of both together, float32."""

    def of(variable, otherwise):
        return otherwise if variable is None else ops.convert_to_numpy(variable).astype("float64")

    variance = of(normalization.moving_variance, None)
    scale = of(normalization.gamma, 1.0) / np.sqrt(variance + normalization.epsilon)
    mean = of(normalization.moving_mean, None) - of(convolution.bias, 0.0)
    bias = of(normalization.beta, 0.0) - mean * scale
    kernel = of(convolution.kernel, None)
    if type(convolution) is layers.DepthwiseConv2D:
        scale = scale.reshape(kernel.shape[2:])
    return (kernel * scale).astype("float32"), bias.astype("float32")


def _call(convolution, kernel, bias, maps):
    convolve = ops.conv if type(convolution) is layers.Conv2D else ops.depthwise_conv
    maps = convolve(
        maps,
        kernel.read_value(),
        strides=convolution.strides,
        padding=convolution.padding,
        data_format=convolution.data_format,
        dilation_rate=convolution.dilation_rate,
    )
    return tf.nn.bias_add(maps, bias)
