import json

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.losses import ClassDiscriminationLoss
from nfl_keras.models import Embedder, freeze_batch_norm, freeze_through


def by_hand(embedder, images):
    """The embeddings f = L2(neck(Dense(z))), z the mean over all positions of the output."""
    pixels = images * embedder.pixel_scale + embedder.pixel_offset
    maps = array(embedder.backbone(pixels.astype("float32"))).astype("float64")
    z = maps.reshape(len(maps), -1, maps.shape[-1]).mean(axis=1)
    if embedder.embedding_dim is not None:
        kernel, bias = embedder.get_layer("projection").get_weights()
        z = z @ kernel.astype("float64") + bias
    if embedder.neck:
        gamma, mean, variance = embedder.get_layer("neck").get_weights()
        z = gamma * (z - mean) / np.sqrt(variance + 1e-3)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


@pytest.mark.parametrize("output", ["maps", "tokens", "vectors"])
@pytest.mark.parametrize("embedding_dim", [4, None])
def test_embeddings_by_hand(make_backbone, images, output, embedding_dim):
    backbone = make_backbone(output, side=8)
    embedder = Embedder(backbone, embedding_dim, 8, pixel_scale=0.02, pixel_offset=-1.5)
    embeddings = array(embedder(images))
    assert embeddings.shape == (12, embedding_dim or 5)
    assert embedder.output_shape == (None, embedding_dim or 5)
    assert embedder.feature_dim == 5
    assert embeddings.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(embeddings, by_hand(embedder, images), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(embedder.predict(images, verbose=0), embeddings, atol=1e-6)


@pytest.mark.parametrize("embedding_dim", [4, None])
def test_a_neck_takes_the_statistics_of_a_batch_and_keeps_them(
    make_backbone, images, embedding_dim
):
    embedder = Embedder(make_backbone(), embedding_dim, 8, 1 / 127.5, -1.0, neck=True)
    neck = embedder.get_layer("neck")
    neck.gamma.assign(np.linspace(0.5, 2, embedding_dim or 5))
    features = embedder.features(images, training=True)
    vectors = array(features).astype("float64")
    if embedding_dim:
        kernel, bias = embedder.get_layer("projection").get_weights()
        vectors = vectors @ kernel + bias
    mean, variance = vectors.mean(axis=0), vectors.var(axis=0)
    normal = array(neck.gamma) * (vectors - mean) / np.sqrt(variance + 1e-3)
    projected = array(embedder.projected(features, training=True))
    np.testing.assert_allclose(projected, normal, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(array(neck.moving_mean), 0.1 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(array(neck.moving_variance), 0.9 + 0.1 * variance, rtol=1e-4)
    expected = by_hand(embedder, images)
    np.testing.assert_allclose(array(embedder(images)), expected, rtol=1e-4, atol=1e-5)
    of_features = array(embedder.project(embedder.features(images)))
    np.testing.assert_allclose(of_features, expected, rtol=1e-4, atol=1e-5)
    before = array(neck.moving_mean)
    embedder(images, training=True)
    assert np.any(array(neck.moving_mean) != before)
    plain = embedder.without_projection()
    np.testing.assert_allclose(array(plain(images)), by_hand(plain, images), rtol=1e-4, atol=1e-5)


def test_pixels_are_left_alone_by_default_and_scaled_per_channel_if_asked(make_backbone, images):
    backbone = make_backbone(batch_norm=False)
    plain = Embedder(backbone, None)
    assert (plain.pixel_scale, plain.pixel_offset) == (1.0, 0.0)
    scale, offset = [0.01, 0.02, 0.005], [-1.0, 0.5, 0.0]
    scaled = Embedder(backbone, None, pixel_scale=scale, pixel_offset=offset)
    same_pixels = (images * np.array(scale) + np.array(offset)).astype("float32")
    found = array(scaled(images))
    np.testing.assert_allclose(found, array(plain(same_pixels)), rtol=1e-4, atol=1e-6)
    assert np.abs(found - array(plain(images))).max() > 0.01


def test_constructor_arguments_are_kept(make_backbone):
    backbone = make_backbone()
    embedder = Embedder(backbone, 7, 16, 0.5, [1.0, 2.0, 3.0], name="mine")
    assert embedder.backbone is backbone
    assert embedder.embedding_dim == 7
    assert embedder.image_size == 16
    assert embedder.pixel_scale == 0.5
    assert embedder.pixel_offset == [1.0, 2.0, 3.0]
    assert embedder.name == "mine"
    assert Embedder(make_backbone()).embedding_dim == 256
    assert Embedder(make_backbone()).image_size == 224


def test_any_image_size_and_dtype_is_taken(make_embedder, images):
    embedder = make_embedder()
    large = np.repeat(np.repeat(images, 2, axis=1), 3, axis=2)
    assert embedder.predict(large, verbose=0).shape == (12, 4)
    in_bytes = images.astype("uint8")
    in_floats = array(embedder(in_bytes.astype("float32")))
    np.testing.assert_allclose(embedder.predict(in_bytes, verbose=0), in_floats, atol=1e-6)


def test_projection_has_he_initialization():
    inputs = keras.Input((512,))
    embedder = Embedder(keras.Model(inputs, keras.layers.Identity()(inputs)), 512)
    kernel, bias = embedder.get_layer("projection").get_weights()
    # A normal distribution of variance 2 / fan_in, cut off at two standard deviations.
    np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 512), rtol=0.02)
    beyond = np.count_nonzero(np.abs(kernel) > 2.3 * np.sqrt(2 / 512))
    # Keras' own draw under PyTorch leaves a few in a million uncut.
    assert beyond <= (10 if keras.config.backend() == "torch" else 0)
    assert np.all(bias == 0)


def test_features_and_projection_compose_to_the_embedder(make_embedder, images):
    embedder = make_embedder()
    features = embedder.features(images)
    assert features.shape == (12, 5)
    projected, expected = array(embedder.project(features)), array(embedder(images))
    np.testing.assert_allclose(projected, expected, atol=1e-6)
    of_zeros = make_embedder(None).project(features[:1] * 0)
    np.testing.assert_array_equal(array(of_zeros), np.zeros((1, 5)))


def test_training_reaches_the_backbone(make_embedder, images):
    embedder = make_embedder()
    mean = embedder.backbone.get_layer("a_bn").moving_mean
    for way in (embedder, embedder.features):
        before = array(mean).copy()
        at_rest = array(way(images, training=False))
        np.testing.assert_array_equal(array(mean), before)
        assert np.abs(array(way(images, training=True)) - at_rest).max() > 1e-3
        assert np.any(array(mean) != before)


def test_every_weight_has_a_gradient(gradients_of, make_embedder, images):
    embedder = make_embedder()

    def first_coordinates(*values):
        with keras.StatelessScope(zip(embedder.trainable_weights, values, strict=True)):
            return ops.sum(embedder(images, training=True)[:, 0])

    gradients = gradients_of(first_coordinates, *map(array, embedder.trainable_weights))
    assert len(gradients) == 10
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


def test_mixed_precision_computes_in_bfloat16_and_answers_in_float32(
    dtype_policy, make_embedder, images
):
    dtype_policy("mixed_bfloat16")
    embedder = make_embedder()
    features = embedder.features(images)
    assert keras.backend.standardize_dtype(features.dtype) == "bfloat16"
    embeddings = array(embedder(images))
    assert embeddings.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(embeddings, by_hand(embedder, images), atol=0.03)
    assert all(weight.dtype == "float32" for weight in embedder.weights)


def test_get_config_makes_the_same_embedder(make_backbone):
    embedder = Embedder(make_backbone(), 7, 16, 0.5, [1.0, 2.0, 3.0], neck=True, name="mine")
    freeze_through(embedder.backbone, "a_")
    config = json.dumps(embedder.get_config())
    revived = Embedder.from_config(json.loads(config))
    assert json.dumps(revived.get_config()) == config
    for name in ("embedding_dim", "image_size", "pixel_scale", "pixel_offset", "neck", "name"):
        assert getattr(revived, name) == getattr(embedder, name)
    revived.set_weights(embedder.get_weights())
    pixels = np.full((1, 8, 8, 3), 100, "float32")
    np.testing.assert_array_equal(array(revived(pixels)), array(embedder(pixels)))
    embedder.trainable = False
    assert Embedder.from_config(embedder.get_config()).trainable_weights == []


@pytest.mark.parametrize("output", ["maps", "tokens", "vectors"])
def test_is_saved_and_loaded(make_backbone, images, output, tmp_path):
    embedder = Embedder(make_backbone(output, side=8), 4, 8, [0.1, 0.2, 0.3], -2.0, neck=True)
    embedder(images, training=True)
    embedder.save(tmp_path / "embedder.keras")
    loaded = keras.saving.load_model(tmp_path / "embedder.keras")
    assert type(loaded) is Embedder
    assert loaded.image_size == 8
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), embedder.predict(images, verbose=0)
    )


@pytest.mark.parametrize("policies", [("mixed_bfloat16", "float32"), ("float32", "mixed_bfloat16")])
def test_computes_as_it_did_when_loaded_under_another_policy(
    dtype_policy, make_embedder, images, policies, tmp_path
):
    dtype_policy(policies[0])
    embedder = make_embedder()
    expected = embedder.predict(images, verbose=0)
    embedder.save(tmp_path / "embedder.keras")
    dtype_policy(policies[1])
    loaded = keras.saving.load_model(tmp_path / "embedder.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), expected)
    assert loaded.dtype_policy.name == policies[0]
    of_this_policy = Embedder(loaded.backbone, 4, 8, 1 / 127.5, -1.0)
    of_this_policy.set_weights(loaded.get_weights())
    assert np.any(of_this_policy.predict(images, verbose=0) != expected)


def test_dtype_is_that_of_all_but_the_backbone(make_backbone):
    embedder = Embedder(make_backbone(), 4, dtype="bfloat16")
    names = {layer.name: layer.dtype_policy.name for layer in embedder.layers}
    assert {names[name] for name in ("pixels", "features", "projection")} == {"bfloat16"}
    assert (
        names["embedding"] == embedder.backbone.get_layer("a_conv").dtype_policy.name == "float32"
    )
    config = embedder.get_config().items()
    before_they_were_kept = {k: v for k, v in config if k not in ("dtype", "neck")}
    old = Embedder.from_config(before_they_were_kept)
    assert (old.dtype_policy.name, old.neck) == ("float32", False)


def test_frozen_kerashub_backbone_is_loaded_frozen_by_a_process_that_knows_keras_and_us(
    images, predict_elsewhere, tmp_path
):
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
    )
    embedder = Embedder(backbone, 4, 8, 1 / 127.5, -1.0)
    embedder(images, training=True)
    freeze_through(backbone, "conv1_conv")
    freeze_batch_norm(backbone)
    expected = embedder.predict(images, verbose=0)
    np.testing.assert_allclose(predict_elsewhere(embedder, images), expected, atol=1e-6)
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    trainable = [weight.path for weight in embedder.trainable_weights]
    assert [weight.path for weight in loaded.trainable_weights] == trainable
    assert 0 < len(trainable) < len(Embedder(loaded.backbone).weights) / 2


def test_preset_folder(tmp_path, images):
    backbone = keras_hub.models.VGGBackbone(
        stackwise_num_repeats=[1], stackwise_num_filters=[4], image_shape=(None, None, 3)
    )
    backbone.save_to_preset(tmp_path)
    keras_hub.layers.VGGImageConverter(scale=[0.1, 0.2, 0.3], offset=[1, 2, 3]).save_to_preset(
        tmp_path
    )
    embedder = Embedder(str(tmp_path), None, 8)
    assert (embedder.pixel_scale, embedder.pixel_offset) == ([0.1, 0.2, 0.3], [1, 2, 3])
    pixels = (images * np.array([0.1, 0.2, 0.3]) + np.array([1, 2, 3])).astype("float32")
    pooled = array(backbone(pixels)).mean(axis=(1, 2))
    expected = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    np.testing.assert_allclose(array(embedder(images)), expected, rtol=1e-4, atol=1e-6)
    own = Embedder(str(tmp_path), None, 8, pixel_scale=1.0, pixel_offset=0.0)
    assert (own.pixel_scale, own.pixel_offset) == (1.0, 0.0)


def test_learns_by_compile_and_fit_with_a_loss_of_ours(make_embedder, images, labels):
    embedder = make_embedder()
    embedder.compile(keras.optimizers.Adam(0.03), loss=ClassDiscriminationLoss(0.5))
    history = embedder.fit(images, labels, batch_size=12, epochs=8, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]


def unusable_backbones():
    inputs = keras.Input((8, 8, 3))

    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    return {
        "two outputs": keras.Model(inputs, [inputs, inputs]),
        "rank 5": keras.Model(inputs, keras.layers.Reshape((2, 2, 2, 24))(inputs)),
        "rank 1": keras.Model(inputs, ops.mean(inputs, axis=(1, 2, 3))),
        "subclassed": Subclassed(),
        "without an input": keras.Sequential([keras.layers.Conv2D(4, 3)]),
    }


@pytest.mark.parametrize("name", unusable_backbones())
def test_a_backbone_that_cannot_be_pooled_is_refused_in_one_line(name):
    with pytest.raises(UserError, match=r"has the output shape .* feature maps") as error:
        Embedder(unusable_backbones()[name])
    assert "\n" not in str(error.value)


def test_a_wrong_preset_is_refused():
    with pytest.raises(UserError, match="cannot load the backbone 'resnet_19'"):
        Embedder("resnet_19")
