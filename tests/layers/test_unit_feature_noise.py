import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import UnitFeatureNoise


def noise_of(layer, shape):
    return np.asarray(layer(np.zeros(shape, "float32"), training=True))


@pytest.mark.parametrize("input_shape", [(3, 8), (2, 3, 8)])
def test_keeps_every_promise_of_a_layer(check_layer, input_shape):
    check_layer(UnitFeatureNoise, {"scale": 0.5, "seed": 3}, input_shape)


@pytest.mark.parametrize("scale", [0.25, 1.0, 7.0])
@pytest.mark.parametrize("shape", [(5, 16), (2, 3, 16), (4, 1)])
def test_noise_has_the_length_of_scale(scale, shape):
    lengths = np.linalg.norm(noise_of(UnitFeatureNoise(scale, seed=0), shape), axis=-1)
    np.testing.assert_allclose(lengths, scale, rtol=1e-5)


def test_noise_is_added_to_the_features():
    features = np.random.default_rng(0).normal(0, 5, (6, 16)).astype("float32")
    noisy = np.asarray(UnitFeatureNoise(2.0, seed=0)(features, training=True))
    expected = features + noise_of(UnitFeatureNoise(2.0, seed=0), features.shape)
    np.testing.assert_allclose(noisy, expected, rtol=1e-6)
    assert len(np.unique(noisy - features)) > 90


def test_direction_is_uniform():
    count, width = 40_000, 8
    noise = noise_of(UnitFeatureNoise(seed=0), (count, width)).astype("float64")
    # Of a uniform direction, each coordinate has mean 0, variance 1 / D and fourth moment
    # 3 / (D (D + 2)), and two coordinates are uncorrelated.
    fourth = 3 / (width * (width + 2))
    assert np.abs(noise.mean(axis=0)).max() < 5 * np.sqrt(1 / width / count)
    covariance = noise.T @ noise / count
    assert np.abs(covariance - np.eye(width) / width).max() < 5 * np.sqrt(fourth / count)
    np.testing.assert_allclose((noise**4).mean(axis=0), fourth, rtol=0.05)


def test_noise_has_unit_length_under_mixed_precision():
    layer = UnitFeatureNoise(seed=0, dtype="mixed_bfloat16")
    noise = ops.cast(layer(np.zeros((50, 64), "float32"), training=True), "float32")
    np.testing.assert_allclose(np.linalg.norm(noise, axis=-1), 1.0, atol=2e-3)


def test_noise_is_fresh_at_each_call_and_the_same_under_one_seed():
    first, second = UnitFeatureNoise(seed=5), UnitFeatureNoise(seed=5)
    other = UnitFeatureNoise(seed=6)
    draws = [noise_of(first, (3, 8)) for _ in range(3)]
    for draw in draws:
        np.testing.assert_array_equal(draw, noise_of(second, (3, 8)))
    assert not np.any(draws[0] == draws[1])
    assert not np.any(draws[1] == draws[2])
    assert not np.any(draws[0] == noise_of(other, (3, 8)))


def test_scale_0_is_the_identity():
    features = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    np.testing.assert_array_equal(UnitFeatureNoise(0)(features, training=True), features)


@pytest.mark.parametrize("scale", [-1, float("nan")])
def test_refuses_a_scale_below_0(scale):
    with pytest.raises(UserError, match="scale must be 0 or more"):
        UnitFeatureNoise(scale)
