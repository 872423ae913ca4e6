import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as array

from nfl_keras.errors import UserError
from nfl_keras.layers import Pooling

TOKENS = np.random.default_rng(0).normal(size=(3, 7, 4)).astype("float32")
MAPS = np.random.default_rng(1).normal(size=(3, 2, 5, 4)).astype("float32")


def generalized_mean(rows, exponent=3.0):
    total = sum(max(float(row), 1e-6) ** exponent for row in rows)
    return (total / len(rows)) ** (1 / exponent)


def by_hand(method, prefix, tokens):
    """One feature vector per image, by a loop over its patches."""
    pooled = []
    for image in tokens.astype("float64"):
        cls, patches = image[:1].ravel(), image[prefix:]
        of_patches = {
            "mean": [sum(channel) / len(channel) for channel in patches.T],
            "max": [max(channel) for channel in patches.T],
            "gem": [generalized_mean(channel) for channel in patches.T],
        }
        of_patches |= {"cls": cls, "cls+mean": [*cls, *of_patches["mean"]]}
        pooled.append(of_patches[method])
    return np.array(pooled)


METHODS = ["mean", "max", "gem", "cls", "cls+mean"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("prefix", [0, 1, 3])
def test_tokens_are_pooled_by_hand_and_registers_are_left_out(method, prefix):
    if not prefix and method.startswith("cls"):
        pytest.skip("there is no class token")
    pooled = array(Pooling(method, prefix)(TOKENS))
    np.testing.assert_allclose(pooled, by_hand(method, prefix, TOKENS), rtol=1e-5, atol=1e-6)
    registers = TOKENS.copy()
    registers[:, 1:prefix] += 9
    np.testing.assert_array_equal(array(Pooling(method, prefix)(registers)), pooled)


@pytest.mark.parametrize("method", ["mean", "max", "gem"])
def test_maps_are_pooled_as_the_tokens_of_their_places(method):
    pooled = array(Pooling(method)(MAPS))
    expected = array(Pooling(method)(MAPS.reshape(3, 10, 4)))
    np.testing.assert_allclose(pooled, expected, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_keeps_every_promise_of_a_layer(method, policy, tmp_path):
    layer = Pooling(method, 2, dtype=policy)
    tokens = keras.Input((None, 4))
    pooled = layer(tokens)
    assert pooled.shape == (None, 8 if method == "cls+mean" else 4)
    assert pooled.dtype == layer.compute_dtype
    config = json.loads(json.dumps(layer.get_config()))
    assert Pooling.from_config(config).get_config() == config
    model = keras.Model(tokens, keras.layers.Dense(1)(pooled))
    model.compile("sgd", "mse")
    model.fit(TOKENS, np.ones((3, 1)), verbose=0)
    assert len(layer.trainable_weights) == (method == "gem")
    assert all(float(array(weight)) != 3 for weight in layer.weights)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(TOKENS, verbose=0), model.predict(TOKENS, verbose=0)
    )


def test_the_generalized_mean_is_the_mean_at_1_and_nears_the_maximum():
    layer, positive = Pooling("gem"), np.abs(TOKENS)
    layer.build(TOKENS.shape)
    for exponent, expected in ((1.0, positive.mean(axis=1)), (60.0, positive.max(axis=1))):
        layer.exponent.assign(exponent)
        np.testing.assert_allclose(array(layer(positive)), expected, rtol=0.05)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("average",), "no pooling 'average'; take one of mean, max"), (("cls",), "there is none")],
)
def test_what_cannot_be_pooled_is_refused_in_one_line(arguments, message):
    with pytest.raises(UserError, match=message) as error:
        Pooling(*arguments)
    assert "\n" not in str(error.value)
