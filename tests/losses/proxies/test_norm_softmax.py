import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import norm_softmax

SETTINGS = [{"temperature": 0.05}, {"temperature": 0.7}]


def by_loop(f, labels, proxies, temperature):
    values = []
    for i, label in enumerate(labels):
        scores = [np.dot(f[i], proxy) / temperature for proxy in proxies]
        values.append(np.log(sum(np.exp(score - scores[label]) for score in scores)))
    return np.array(values)


@pytest.mark.parametrize("settings", SETTINGS)
def test_value_is_that_of_the_loop(check_values, settings):
    check_values(norm_softmax, by_loop, **settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_gradients_are_those_of_finite_differences_in_float64(check_gradient, settings):
    check_gradient(norm_softmax, by_loop, **settings)


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_refuses_a_temperature_of_0_or_below(temperature):
    eye = np.eye(2, dtype="float32")
    with pytest.raises(UserError, match="temperature must be above 0"):
        norm_softmax(eye, [0, 1], eye, temperature)
