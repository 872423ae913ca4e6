import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import norm_softmax, soft_triple

SETTINGS = [
    {"margin": 0.01, "scale": 20.0, "temperature": 0.1, "closeness": 0.2},
    {"margin": 0.3, "scale": 3.0, "temperature": 1.0, "closeness": 0.0},
]


def by_loop(f, labels, proxies, margin, scale, temperature, closeness):
    num_classes, per_class, _ = proxies.shape
    distances = 0.0
    for of_class in proxies:
        for m in range(per_class):
            for n in range(m + 1, per_class):
                distances += np.sqrt(max(2 - 2 * of_class[m] @ of_class[n], 0))
    extra = closeness * distances / (num_classes * max(per_class * (per_class - 1), 1))
    values = []
    for i, label in enumerate(labels):
        scores = []
        for k, of_class in enumerate(proxies):
            s = of_class @ f[i]
            w = np.exp(s / temperature) / sum(np.exp(s / temperature))
            scores.append(scale * (sum(w * s) - margin * (k == label)))
        values.append(np.log(sum(np.exp(x - scores[label]) for x in scores)) + extra)
    return np.array(values)


@pytest.mark.parametrize("per_class", [1, 3])
@pytest.mark.parametrize("settings", SETTINGS)
def test_value_is_that_of_the_loop(check_values, settings, per_class):
    check_values(soft_triple, by_loop, per_class, **settings)


@pytest.mark.parametrize("per_class", [1, 3])
@pytest.mark.parametrize("settings", SETTINGS)
def test_gradients_are_those_of_finite_differences_in_float64(check_gradient, settings, per_class):
    check_gradient(soft_triple, by_loop, per_class, **settings)


def test_one_proxy_per_class_without_a_margin_is_norm_softmax():
    generator = np.random.default_rng(0)
    f, proxies = (generator.normal(size=(n, 4)).astype("float32") for n in (5, 3))
    labels = np.array([0, 1, 2, 0, 1])
    found = soft_triple(f, labels, proxies[:, None], margin=0.0, scale=10.0)
    np.testing.assert_allclose(found, norm_softmax(f, labels, proxies, 0.1), rtol=1e-5)


def test_equal_proxies_have_no_distance_and_a_finite_gradient(gradients_of):
    f, proxies = np.eye(2, dtype="float32"), np.ones((2, 3, 2), "float32") / np.sqrt(2)
    values = soft_triple(f, [0, 1], proxies, margin=0.0)
    np.testing.assert_allclose(values, np.log([2, 2]), rtol=1e-5)
    [gradient] = gradients_of(lambda p: ops.sum(soft_triple(f, [0, 1], p)), proxies)
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize(
    "settings", [{"margin": -0.1}, {"scale": 0}, {"closeness": -1}, {"temperature": 0}]
)
def test_refuses_settings_that_are_out_of_range(settings):
    with pytest.raises(UserError, match="|".join(settings)):
        soft_triple(np.eye(2, dtype="float32"), [0, 1], np.ones((2, 1, 2), "float32"), **settings)
