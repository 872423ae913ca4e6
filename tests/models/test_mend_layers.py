import keras
import keras_hub
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.models import Embedder


@pytest.mark.parametrize("change", [0.5, -0.5])
def test_trained_position_embeddings_of_a_resized_dinov2_are_saved_as_they_are(change, tmp_path):
    keras_hub.models.DINOV2Backbone(
        patch_size=8,
        num_layers=1,
        hidden_dim=4,
        num_heads=1,
        intermediate_dim=4,
        image_shape=(40, 40, 3),
        position_embedding_shape=(40, 40),
    ).save_to_preset(tmp_path)
    embedder = Embedder(str(tmp_path), 2, 24)
    layer = next(layer for layer in embedder.backbone.layers if layer.weights)
    positions = layer.interpolated_position_embeddings
    assert positions.shape == (1, 10, 4)
    noise = np.random.default_rng(0).uniform(0, 1, positions.shape)
    positions.assign(positions + change * noise)
    expected = [array(weight) for weight in embedder.weights]
    embedder.save(tmp_path / "embedder.keras")
    loaded = keras.saving.load_model(tmp_path / "embedder.keras")
    for weight, value in zip(loaded.weights, expected, strict=True):
        np.testing.assert_array_equal(array(weight), value, err_msg=weight.path)
    for weight, value in zip(embedder.weights, expected, strict=True):
        np.testing.assert_array_equal(array(weight), value, err_msg=weight.path)


def test_a_token_that_no_gradient_reaches_is_not_trained():
    backbone = keras_hub.models.DINOV3Backbone(
        patch_size=8,
        num_layers=1,
        hidden_dim=4,
        num_heads=1,
        intermediate_dim=4,
        image_shape=(16, 16, 3),
    )
    names = [weight.name for weight in Embedder(backbone, 2, 16).trainable_weights]
    assert "mask_token" not in names
    assert "cls_token" in names
