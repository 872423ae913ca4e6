import keras
import keras_hub
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder


@pytest.fixture
def channels_first():
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format(before)


def of_fixed_size():
    return keras_hub.models.ViTBackbone(
        (28, 28, 3), patch_size=14, num_layers=1, num_heads=1, hidden_dim=4, mlp_dim=4
    )


def without_padding():
    pixels = keras.Input((None, None, 3))
    return keras.Model(pixels, keras.layers.Conv2D(4, 9)(pixels), name="wide")


def pooled_to_nothing():
    pixels = keras.Input((None, None, 3))
    return keras.Model(pixels, keras.layers.AveragePooling2D(9)(pixels), name="pooled")


def of_four_patches():
    pixels = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 14, strides=14)(pixels)
    return keras.Model(pixels, keras.layers.Reshape((4, 4))(maps), name="patches")


@pytest.mark.parametrize(
    ("make", "fits", "image_size", "message"),
    [
        (of_fixed_size, 28, 29, "takes images of 28 x 28 pixels alone, and image_size is 29;"),
        (of_fixed_size, 28, 224, "takes images of 28 x 28 pixels alone, and image_size is 224;"),
        (without_padding, 9, 8, "'wide' cannot take images of image_size 8 "),
        (pooled_to_nothing, 9, 8, "'pooled' cannot take images of image_size 8 "),
        (of_four_patches, 28, 43, "'patches' cannot take images of image_size 43 "),
    ],
)
def test_an_image_size_that_does_not_fit_is_refused(make, fits, image_size, message):
    embedder = Embedder(make(), 2, fits)
    embeddings = array(embedder(np.ones((1, fits, fits, 3), "float32")))
    np.testing.assert_allclose(np.linalg.norm(embeddings), 1, rtol=1e-5)
    with pytest.raises(UserError, match=message) as refused:
        Embedder(make(), 2, image_size)
    assert "\n" not in str(refused.value)


def test_a_layer_that_does_not_tell_its_shape_is_taken():
    pixels = keras.Input((None, None, 3))
    hidden = keras.layers.Lambda(lambda maps: maps + 1.0)(pixels)
    assert Embedder(keras.Model(pixels, hidden), None, 8).feature_dim == 3


def test_the_global_data_format_changes_nothing(channels_first, make_embedder, images):
    embedder = Embedder("tiny", 4, 32)
    assert embedder.backbone.output_shape == (None, None, None, 160)
    again = Embedder.from_config(embedder.get_config())
    again.set_weights(embedder.get_weights())
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(array(again(pixels)), array(embedder(pixels)), atol=1e-6)
    keras.config.set_image_data_format("channels_last")
    np.testing.assert_allclose(array(embedder(pixels)), array(again(pixels)), atol=1e-6)
    same = Embedder(embedder.backbone, 4, 32, 1 / 127.5, -1.0)
    same.set_weights(embedder.get_weights())
    np.testing.assert_allclose(array(same(pixels)), array(embedder(pixels)), atol=1e-6)


def test_maps_are_pooled_over_their_places(make_backbone, images):
    backbone = make_backbone()
    expected = array(Embedder(backbone, None, 8)(images))
    keras.config.set_image_data_format("channels_first")
    try:
        found = array(Embedder(backbone, None, 8)(images))
    finally:
        keras.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(found, expected)


def test_a_backbone_with_the_channels_first_is_refused(channels_first):
    pixels = keras.Input((3, 8, 8))
    pooled = keras.layers.AveragePooling2D(2, name="pool")(pixels)
    backbone = keras.Model(pixels, pooled)
    with pytest.raises(UserError, match=r"channels first \(in its layer 'pool'\)") as refused:
        Embedder(backbone, 2, 8)
    assert "\n" not in str(refused.value)
