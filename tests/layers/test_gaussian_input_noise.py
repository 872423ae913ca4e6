import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.errors import UserError
from nfl_keras.layers import GaussianInputNoise


def noise_of(layer, shape, value=0.0):
    return np.asarray(layer(np.full(shape, value, "float32"), training=True)) - value


def test_keeps_every_promise_of_a_layer(check_layer):
    check_layer(GaussianInputNoise, {"stddev": 0.25, "seed": 3}, (2, 4, 5, 3))


@pytest.mark.parametrize("stddev", [0.1, 25.5])
def test_noise_has_the_moments_of_a_gaussian(stddev):
    noise = noise_of(GaussianInputNoise(stddev, seed=0), (4, 64, 64, 3)).astype("float64")
    standard = noise.ravel() / stddev
    count = standard.size
    assert abs(standard.mean()) < 4 / np.sqrt(count)
    assert abs(standard.std() - 1) < 4 / np.sqrt(2 * count)
    assert abs((standard**3).mean()) < 4 * np.sqrt(15 / count)
    assert abs((standard**4).mean() - 3) < 4 * np.sqrt(96 / count)


def test_each_pixel_channel_and_image_has_noise_of_its_own():
    noise = noise_of(GaussianInputNoise(1.0, seed=0), (3, 40, 40, 3)).astype("float64")
    channels = np.moveaxis(noise, -1, 1).reshape(9, -1)
    correlations = np.corrcoef(channels) - np.eye(9)
    assert np.abs(correlations).max() < 5 / np.sqrt(1600)
    neighbors = np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]
    assert abs(neighbors) < 4 / np.sqrt(noise.size)


@pytest.mark.parametrize("value", [0.0, 1.0, 255.0])
def test_nothing_is_clipped(value):
    noise = noise_of(GaussianInputNoise(0.1, seed=0), (1, 32, 32, 3), value)
    assert abs(np.mean(noise > 0) - 0.5) < 4 * 0.5 / np.sqrt(noise.size)


def test_noise_is_fresh_at_each_call_and_the_same_under_one_seed():
    first, second = GaussianInputNoise(seed=5), GaussianInputNoise(seed=5)
    other = GaussianInputNoise(seed=6)
    shape = (2, 4, 4, 3)
    draws = [noise_of(first, shape) for _ in range(3)]
    for draw in draws:
        np.testing.assert_array_equal(draw, noise_of(second, shape))
    assert not np.any(draws[0] == draws[1])
    assert not np.any(draws[1] == draws[2])
    assert not np.any(draws[0] == noise_of(other, shape))
    unseeded = [noise_of(GaussianInputNoise(), shape) for _ in range(2)]
    assert not np.any(unseeded[0] == unseeded[1])


@pytest.mark.tensorflow("a compiled function of JAX keeps no state; PyTorch is not compiled here")
def test_noise_is_fresh_at_each_call_of_a_compiled_function():
    layer = GaussianInputNoise(seed=1)
    noisy = tf.function(lambda images: layer(images, training=True))
    draws = np.stack([noisy(tf.zeros((2, 4))) for _ in range(3)])
    assert len(np.unique(draws)) == draws.size


def test_stddev_0_is_the_identity():
    images = np.random.default_rng(0).uniform(0, 255, (2, 3, 3, 3)).astype("float32")
    np.testing.assert_array_equal(GaussianInputNoise(0)(images, training=True), images)


@pytest.mark.parametrize("stddev", [-0.1, float("nan")])
def test_refuses_a_stddev_below_0(stddev):
    with pytest.raises(UserError, match="stddev must be 0 or more"):
        GaussianInputNoise(stddev)
