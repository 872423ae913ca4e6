"""Grouped convolutions, held to the sums that define them, and exported without XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn import drawn
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

from nfl_keras.errors import UserError
from nfl_keras.export.folding import folded
from nfl_keras.export.saved_model import export_model
from nfl_keras.export.without_xla import refuse_xla, without_xla
from nfl_keras.models import Embedder

IMAGES = np.random.default_rng(0).normal(0, 2, (2, 9, 9, 8)).astype("float32")


def xla_functions(graph):
    return [f.signature.name for f in graph.library.function if f.attr["_XlaMustCompile"].b]


def by_hand(maps, kernel, bias, groups):
    """A convolution without padding, each group of channels by itself."""
    height, width, inner, filters = kernel.shape
    rows, columns = maps.shape[1] - height + 1, maps.shape[2] - width + 1
    result = np.zeros((len(maps), rows, columns, filters))
    per_group = filters // groups
    for group in range(groups):
        own = maps[..., group * inner : (group + 1) * inner].astype("float64")
        out = slice(group * per_group, (group + 1) * per_group)
        for y in range(height):
            for x in range(width):
                result[..., out] += own[:, y : y + rows, x : x + columns] @ kernel[y, x][:, out]
    return result + bias


@pytest.mark.parametrize(("groups", "filters"), [(2, 8), (4, 4), (8, 8), (8, 24)])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_groups_are_convolved_each_by_itself(groups, filters, activation):
    images = keras.Input((9, 9, 8))
    layer = layers.Conv2D(filters, 3, groups=groups, activation=activation)
    model = drawn(keras.Model(images, layer(images)))
    expected = by_hand(IMAGES, *model.get_weights(), groups)
    expected = np.maximum(expected, 0) if activation else expected
    with without_xla(model):
        function = tf.function(lambda pixels: model(pixels, training=False))
        concrete = function.get_concrete_function(tf.TensorSpec((None, 9, 9, 8), tf.float32))
        given = concrete(tf.constant(IMAGES)).numpy()
    refuse_xla({"f": concrete})
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4)
    assert "call" not in vars(layer)


@pytest.mark.parametrize(
    "how",
    [
        {"strides": 2},
        {"padding": "same"},
        {"padding": "same", "strides": 2},
        {"dilation_rate": 2},
        {"use_bias": False},
    ],
)
@pytest.mark.parametrize("groups", [4, 8])
@pytest.mark.parametrize("normalized", [False, True])
def test_every_form_of_it_is_as_keras_computes_it(how, groups, normalized):
    images = keras.Input((None, None, 8))
    maps = layers.Conv2D(8, 3, groups=groups, **how)(images)
    if normalized:
        maps = layers.BatchNormalization()(maps)
    model = drawn(keras.Model(images, layers.ReLU()(maps)))
    expected = model(IMAGES, training=False).numpy()
    with without_xla(model), folded(model):
        function = tf.function(lambda pixels: model(pixels, training=False))
        concrete = function.get_concrete_function(tf.TensorSpec((None, 9, 9, 8), tf.float32))
        given = concrete(tf.constant(IMAGES)).numpy()
    assert xla_functions(concrete.graph.as_graph_def()) == []
    np.testing.assert_allclose(given, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(model(IMAGES, training=False), expected)


def test_exported_graphs_hold_no_function_of_xla(tmp_path):
    """Blocks as ResNeXt and ConvNeXt have them, and a depthwise convolution beside them."""
    images = keras.Input((None, None, 3))
    maps = layers.Conv2D(8, 3, strides=2, activation="relu")(images)
    maps = layers.Conv2D(8, 3, groups=4, activation="relu")(maps)
    maps = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, groups=2)(maps)))
    maps = layers.LayerNormalization()(layers.Conv2D(8, 7, padding="same", groups=8)(maps))
    maps = layers.DepthwiseConv2D(3, padding="same", activation="relu")(maps)
    embedder = Embedder(drawn(keras.Model(images, maps)), 4, 16, 1 / 127.5, -1.0)
    version = export_model(embedder, tmp_path)
    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    assert xla_functions(graph) == []
    # The two in which each channel is a group of its own.
    nodes = [node.op for function in graph.library.function for node in function.node_def]
    assert "DepthwiseConv2dNative" in nodes
    kernel = np.ones((3, 3, 2, 8), "float32")
    maps = layers.Lambda(lambda maps: keras.ops.conv(maps, kernel))(maps)
    without = keras.Model(images, maps)
    with pytest.raises(
        UserError, match=r"only XLA can run \(.*Conv2D.* not run it on a CPU"
    ) as refused:
        export_model(Embedder(without, 4, 16), tmp_path, name="other")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "other").exists()
