import keras
import keras_hub
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder

DINO = {"patch_size": 8, "num_layers": 1, "num_heads": 1, "hidden_dim": 4, "intermediate_dim": 4}
SHAPE = (16, 16, 3)
IMAGES = np.random.default_rng(0).normal(size=(2, 16, 16, 3)).astype("float32")


def dinov3():
    return keras_hub.models.DINOV3Backbone(**DINO, num_register_tokens=2, image_shape=SHAPE)


@pytest.mark.parametrize("pooling", ["auto", "mean", "max", "gem", "cls", "cls+mean"])
def test_tokens_are_pooled_as_told(pooling, tmp_path):
    backbone = dinov3()
    tokens = array(backbone({"pixel_values": IMAGES})).astype("float64")
    cls, patches = tokens[:, 0], tokens[:, 3:]
    expected = {
        "auto": cls,
        "mean": patches.mean(axis=1),
        "max": patches.max(axis=1),
        "gem": (np.maximum(patches, 1e-6) ** 3).mean(axis=1) ** (1 / 3),
        "cls": cls,
        "cls+mean": np.concatenate([cls, patches.mean(axis=1)], axis=1),
    }[pooling]
    embedder = Embedder(backbone, 3, 16, pooling=pooling)
    assert embedder.feature_dim == expected.shape[1]
    np.testing.assert_allclose(array(embedder.features(IMAGES)), expected, rtol=1e-4, atol=1e-5)
    for weight in embedder._pooling.weights:
        weight.assign(2.0)
    embedder.save(tmp_path / "embedder.keras")
    loaded = keras.saving.load_model(tmp_path / "embedder.keras")
    assert loaded.pooling == pooling
    np.testing.assert_array_equal(array(loaded(IMAGES)), array(embedder(IMAGES)))
    frozen = loaded.without_projection()
    given = array(embedder.features(IMAGES))
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    np.testing.assert_allclose(array(frozen(IMAGES)), given, atol=1e-6)


def vectors():
    return keras_hub.models.SigLIPVisionEncoder(**DINO, image_shape=SHAPE)


def tokens():
    return keras_hub.models.ViTBackbone(
        SHAPE, 8, num_layers=1, num_heads=1, hidden_dim=4, mlp_dim=4, use_class_token=False
    )


@pytest.mark.parametrize(
    ("make", "pooling", "message"),
    [
        (vectors, "mean", "gives vectors, which pooling 'mean' cannot pool again; take .* 'auto'"),
        (tokens, "cls", "pooling 'cls' takes the class token, and there is none"),
        (tokens, "average", "there is no pooling 'average'"),
    ],
)
def test_what_cannot_be_pooled_so_is_refused_in_one_line(make, pooling, message):
    with pytest.raises(UserError, match=message) as error:
        Embedder(make(), 2, 16, pooling=pooling)
    assert "\n" not in str(error.value)


def test_tokens_without_a_class_token_are_averaged():
    backbone = tokens()
    expected = array(backbone(IMAGES)).mean(axis=1)
    np.testing.assert_allclose(array(Embedder(backbone, None, 16).features(IMAGES)), expected, 1e-5)
