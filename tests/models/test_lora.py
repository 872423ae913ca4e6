import keras
import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder, enable_lora, freeze_through, merged_lora

PIXELS = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype("float32")


@pytest.fixture
def backbone():
    """Convolutions of every kind, of which the first is frozen."""
    keras.utils.set_random_seed(0)
    images = keras.Input((16, 16, 3))
    maps = keras.layers.Conv2D(4, 3, name="block1_conv")(images)
    maps = keras.layers.DepthwiseConv2D(3, name="block2_depthwise")(maps)
    maps = keras.layers.BatchNormalization(name="block2_bn")(maps)
    maps = keras.layers.SeparableConv2D(6, 3, name="block2_separable")(maps)
    maps = keras.layers.Conv2D(8, 1, name="block3_conv")(maps)
    network = keras.Model(images, maps)
    freeze_through(network, "block1")
    return network


def array(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def teach(embedder, steps=3):
    embedder.compile(keras.optimizers.SGD(0.05), loss="mse")
    for _ in range(steps):
        embedder.train_on_batch(PIXELS, np.eye(4, embedder.output_shape[-1], dtype="float32"))


def test_without_attention_all_convolutions_that_learn_take_updates(backbone):
    assert enable_lora(backbone, 2) == ["block3_conv"]
    kernel_a, kernel_b = array(backbone.trainable_weights)[-2:]
    assert kernel_a.shape == (1, 1, 6, 2)
    np.testing.assert_array_equal(kernel_b, np.zeros((2, 8)))


def test_only_updates_and_biases_learn_and_a_kernel_is_the_sum(backbone):
    embedder = Embedder(backbone, 4, image_size=16)
    before = {weight.path: weight.numpy() for weight in embedder.weights}
    untouched = array([embedder(PIXELS)])[0]
    enable_lora(backbone, 2)
    np.testing.assert_array_equal(array([embedder(PIXELS)])[0], untouched)
    teach(embedder)
    learned = {p for p in before if not np.array_equal(before[p], weights(embedder)[p])}
    assert learned == {"block3_conv/bias", "projection/kernel", "projection/bias"}
    last = backbone.get_layer("block3_conv")
    kernel_a, kernel_b = array([last.lora_kernel_a, last.lora_kernel_b])
    expected = before["block3_conv/kernel"] + kernel_a.astype("float64") @ kernel_b
    vectors = array([embedder(PIXELS)])[0]
    with merged_lora(embedder):
        np.testing.assert_allclose(weights(embedder)["block3_conv/kernel"], expected, atol=1e-6)
        np.testing.assert_allclose(array([embedder(PIXELS)])[0], vectors, atol=1e-6)
    np.testing.assert_array_equal(array([embedder(PIXELS)])[0], vectors)


def weights(model):
    return {weight.path: weight.numpy() for weight in model.weights}


def test_a_saved_embedder_has_plain_kernels(backbone, tmp_path):
    embedder = Embedder(backbone, 4, image_size=16)
    enable_lora(backbone, 2)
    teach(embedder)
    with merged_lora(embedder):
        embedder.save(tmp_path / "embedder.keras")
        kernel = weights(embedder)["block3_conv/kernel"]
    loaded = keras.saving.load_model(tmp_path / "embedder.keras", compile=False)
    np.testing.assert_array_equal(weights(loaded)["block3_conv/kernel"], kernel)
    np.testing.assert_allclose(loaded(PIXELS), embedder(PIXELS), atol=1e-6)


def test_the_rank_is_at_least_1(backbone):
    with pytest.raises(UserError, match=r"at least 1, not 0"):
        enable_lora(backbone, 0)


def test_a_backbone_without_a_layer_that_takes_updates_is_refused():
    images = keras.Input((16, 16, 3))
    network = keras.Model(images, keras.layers.DepthwiseConv2D(3, name="only")(images))
    with pytest.raises(UserError, match=r"no layer .* takes lora: .* \(DepthwiseConv2D\)"):
        enable_lora(network, 2)
    freeze_through(network, "only")
    with pytest.raises(UserError, match=r"\(none\)"):
        enable_lora(network, 2)
    assert network.layers[-1].get_weights()
