"""Defines how the grouped convolutions of a model are exported.

Keras compiles each by XLA, which TensorFlow Serving does not do on a CPU.
"""

import contextlib
import functools
from collections.abc import Iterator, Mapping

import keras
import tensorflow as tf
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.typing import Tensor


@contextlib.contextmanager
def without_xla(model: keras.Model) -> Iterator[None]:
    """Lets the grouped convolutions of a model run without XLA.

    TensorFlow itself computes them at inference, unless its optimizer fuses one with the addition
    of a bias. The model is restored after the context.
    """
    grouped = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.Conv2D)
        and type(layer).call is keras.layers.Conv2D.call
        and layer.groups > 1
        and layer.data_format == "channels_last"
    ]
    try:
        for layer in grouped:
            layer.call = functools.partial(_call, layer)
        yield
    finally:
        for layer in grouped:
            vars(layer).pop("call", None)


def _call(layer, maps):
    how = {name: getattr(layer, name) for name in ("strides", "padding", "dilation_rate")}
    maps = grouped_convolution(maps, layer.kernel, layer.bias, layer.groups, **how)
    return layer.activation(maps)


def grouped_convolution(
    maps: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    groups: int,
    strides: tuple[int, int],
    padding: str,
    dilation_rate: tuple[int, int],
) -> Tensor:
    """Computes a convolution in groups of channels, by operations that TensorFlow has on a CPU.

    Args:
        maps: float32 `[B, H, W, C]`.
        kernel: float32 `[h, w, C / groups, F]`.
        bias: float32 `[F]`, or `None`.
        groups: int.
        strides: two ints.
        padding: `"valid"` or `"same"`.
        dilation_rate: two ints.

    Returns:
        float32 `[B, H', W', F]`.
    """
    kernel = tf.convert_to_tensor(kernel)
    size, filters = kernel.shape[:2], kernel.shape[3]
    if groups == maps.shape[-1]:
        kernel = tf.reshape(kernel, (*size, groups, filters // groups))
        maps = ops.depthwise_conv(maps, kernel, strides, padding, "channels_last", dilation_rate)
    else:
        maps = tf.nn.convolution(maps, kernel, strides, padding.upper(), "NHWC", dilation_rate)
    if bias is None:
        return maps
    # The fused kernel of a convolution and a bias takes one group alone.
    shape = tf.shape(maps)
    apart = tf.reshape(maps, (*tf.unstack(shape)[:3], groups, filters // groups))
    return tf.reshape(apart + tf.reshape(bias, (groups, filters // groups)), shape)


def refuse_xla(functions: Mapping[str, tf.types.experimental.ConcreteFunction]) -> None:
    """Raises `UserError` if a function holds one that only XLA can run.

    Args:
        functions: dict of the names of signatures to concrete functions.
    """
    for name, function in functions.items():
        for inner in function.graph.as_graph_def().library.function:
            if inner.attr["_XlaMustCompile"].b:
                operations = sorted({node.op for node in inner.node_def} - {"Const", "Identity"})
                raise UserError(
                    f"the model holds a function that only XLA can run ({', '.join(operations)}), "
                    f"in the signature {name!r}, and TensorFlow Serving does not run it on a CPU; "
                    f"give the model layers without jit_compile=True."
                )
