import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import norm_softmax, stop_gradient_softmax

SETTINGS = [{"scale": 30.0}, {"scale": 2.0}]


def by_loop(f, labels, proxies, scale):
    values = []
    for i, label in enumerate(labels):
        others = [f[i] @ p for k, p in enumerate(proxies) if k != label]
        soft_maximum = np.log(sum(np.exp(scale * s) for s in others)) / scale if others else -np.inf
        values.append(np.log(1 + np.exp(soft_maximum - f[i] @ proxies[label])))
    return np.array(values)


@pytest.mark.parametrize("settings", SETTINGS)
def test_value_is_that_of_the_loop(check_values, settings):
    check_values(stop_gradient_softmax, by_loop, **settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_gradient_is_that_of_finite_differences_and_stops_at_proxies(check_gradient, settings):
    check_gradient(stop_gradient_softmax, by_loop, stops_at_proxies=True, **settings)


def test_a_scale_of_1_has_the_values_of_norm_softmax():
    generator = np.random.default_rng(0)
    f, proxies = (generator.normal(size=(n, 4)).astype("float32") for n in (5, 3))
    labels = np.array([0, 1, 2, 0, 1])
    found = stop_gradient_softmax(f, labels, proxies, scale=1.0)
    np.testing.assert_allclose(found, norm_softmax(f, labels, proxies, 1.0), rtol=1e-5)


def test_one_class_has_nothing_to_be_told_from_and_a_gradient_of_0(gradients_of):
    f, proxy = np.eye(2, dtype="float32"), np.eye(1, 2, dtype="float32")
    [gradient] = gradients_of(lambda f: ops.sum(stop_gradient_softmax(f, [0, 0], proxy)), f)
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


@pytest.mark.parametrize("scale", [0, -1.0, float("nan")])
def test_refuses_a_scale_of_0_or_below(scale):
    eye = np.eye(2, dtype="float32")
    with pytest.raises(UserError, match="scale must be above 0"):
        stop_gradient_softmax(eye, [0, 1], eye, scale)
