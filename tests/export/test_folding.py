"""Folding, held to the model as Keras runs it, with statistics and weights drawn at random."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from drawn import drawn
from keras import layers

from nfl_keras.export.folding import folded
from nfl_keras.models import Embedder

IMAGES = np.random.default_rng(0).normal(0, 2, (4, 12, 12, 3)).astype("float32")


def functional(build):
    images = keras.Input((None, None, 3))
    return drawn(keras.Model(images, build(images)))


def convolution_then(*normalizations, **options):
    def build(images):
        maps = layers.Conv2D(4, 3, **options)(images)
        for normalization in normalizations:
            maps = normalization(maps)
        return layers.GlobalAveragePooling2D()(maps)

    return functional(build)


def operations_of(model):
    function = tf.function(lambda images: model(images, training=False))
    graph = function.get_concrete_function(tf.TensorSpec((None, 12, 12, 3), tf.float32)).graph
    return [operation.type for operation in graph.get_operations()]


def check(model, count):
    """Folded it gives the same, and `count` normalizations are left."""
    expected = model(IMAGES, training=False).numpy()
    left = operations_of(model).count("Rsqrt")
    with folded(model) as weights:
        given = model(IMAGES, training=False).numpy()
        operations = operations_of(model)
    np.testing.assert_allclose(given, expected, atol=1e-5 * np.abs(expected).max())
    assert operations.count("Rsqrt") == count
    np.testing.assert_array_equal(model(IMAGES, training=False), expected)
    assert operations_of(model).count("Rsqrt") == left
    return weights


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False)])
def test_a_convolution_takes_up_its_normalization(use_bias, scale, center):
    normalization = layers.BatchNormalization(scale=scale, center=center, epsilon=0.1)
    weights = check(convolution_then(normalization, use_bias=use_bias), 0)
    assert sorted(tuple(weight.shape) for weight in weights) == [(3, 3, 3, 4), (4,)]


@pytest.mark.parametrize(
    "options",
    [{"strides": 2}, {"padding": "same"}, {"dilation_rate": 2}, {"groups": 3, "filters": 6}],
)
def test_every_kind_of_convolution_keeps_its_geometry(options):
    filters = options.pop("filters", 4)
    check(
        functional(
            lambda images: layers.BatchNormalization()(layers.Conv2D(filters, 3, **options)(images))
        ),
        0,
    )


@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}])
def test_depthwise_convolutions_too(multiplier, options):
    def build(images):
        maps = layers.DepthwiseConv2D(3, depth_multiplier=multiplier, **options)(images)
        return layers.BatchNormalization()(maps)

    check(functional(build), 0)


def test_within_models_of_models(make_embedder):
    images = keras.Input((None, None, 3))
    inner = functional(lambda maps: layers.BatchNormalization()(layers.Conv2D(4, 3)(maps)))
    check(drawn(keras.Model(images, layers.ReLU()(inner(images)))), 0)
    embedder = drawn(make_embedder())
    # Its convolution has an activation; the other root is that of the embedding's length.
    assert len(check(embedder, 2)) == len(embedder.variables)
    with_neck = drawn(Embedder(embedder.backbone, 5, 12, neck=True))
    assert len(check(with_neck, 3)) == len(with_neck.variables)


def test_what_is_used_elsewhere_or_is_otherwise_made_is_left_as_it_is():
    class Own(layers.Conv2D):
        def call(self, maps):
            return 2 * super().call(maps)

    def residual(images):
        maps = layers.Conv2D(3, 3, padding="same")(images)
        return maps + layers.BatchNormalization()(maps)

    def shared(images):
        convolution, normalization = layers.Conv2D(3, 3), layers.BatchNormalization()
        return normalization(convolution(convolution(images)))

    for build in (
        residual,
        shared,
        lambda images: layers.BatchNormalization()(Own(4, 3)(images)),
        lambda images: layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(images)),
        lambda images: layers.BatchNormalization(axis=1)(
            layers.Conv2D(4, 3)(layers.Resizing(12, 12)(images))
        ),
        lambda images: layers.Conv2D(4, 3)(layers.BatchNormalization()(images)),
    ):
        model = functional(build)
        assert len(check(model, 1)) == len(model.variables)


def test_maps_that_are_given_out_stay_as_they_are():
    images = keras.Input((None, None, 3))
    maps = layers.Conv2D(4, 3)(images)
    model = drawn(keras.Model(images, [maps, layers.BatchNormalization()(maps)]))
    expected = [output.numpy() for output in model(IMAGES, training=False)]
    with folded(model) as weights:
        given = model(IMAGES, training=False)
    assert len(weights) == len(model.variables)
    for own, wanted in zip(given, expected, strict=True):
        np.testing.assert_array_equal(own, wanted)


def test_a_normalization_after_another_is_left():
    model = convolution_then(layers.BatchNormalization(), layers.BatchNormalization())
    assert len(check(model, 1)) == 2 + 4


def test_in_bfloat16_nothing_changes():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = convolution_then(layers.BatchNormalization())
    finally:
        keras.config.set_dtype_policy("float32")
    expected = model(IMAGES, training=False)
    with folded(model) as weights:
        np.testing.assert_array_equal(model(IMAGES, training=False), expected)
    assert len(weights) == len(model.variables)


def test_an_error_within_leaves_the_model_as_it_was():
    model = convolution_then(layers.BatchNormalization())
    expected = model(IMAGES, training=True).numpy()
    with pytest.raises(KeyError), folded(model):
        raise KeyError
    assert not any("call" in vars(layer) for layer in model.layers)
    np.testing.assert_array_equal(model(IMAGES, training=True), expected)
