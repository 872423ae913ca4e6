import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.losses import proxy_anchor

SETTINGS = [{"margin": 0.1, "scale": 32.0}, {"margin": 0.0, "scale": 2.0}]


def of_paper(f, labels, proxies, margin, scale):
    """The scalar of the paper, proxy by proxy, in float64."""
    pulls, pushes, with_images = 0.0, 0.0, 0
    for k, proxy in enumerate(proxies):
        own = [np.exp(-scale * (f[i] @ proxy - margin)) for i, y in enumerate(labels) if y == k]
        others = [np.exp(scale * (f[i] @ proxy + margin)) for i, y in enumerate(labels) if y != k]
        pulls += np.log(1 + sum(own))
        pushes += np.log(1 + sum(others))
        with_images += bool(own)
    return pulls / with_images + pushes / len(proxies)


def by_loop(f, labels, proxies, margin, scale):
    """The value of each image: its parts of the sums, as shares of their logarithms."""
    values = np.zeros(len(labels))
    for k, proxy in enumerate(proxies):
        for own, sign, divisor in ((True, -1, len(set(labels))), (False, 1, len(proxies))):
            chosen = [i for i, label in enumerate(labels) if (label == k) == own]
            parts = [np.exp(sign * scale * (f[i] @ proxy + sign * margin)) for i in chosen]
            for i, part in zip(chosen, parts, strict=True):
                values[i] += np.log(1 + sum(parts)) * part / sum(parts) / divisor
    return values * len(labels)


@pytest.mark.parametrize("settings", SETTINGS)
def test_value_is_that_of_the_loop(check_values, settings):
    check_values(proxy_anchor, by_loop, **settings)


@pytest.mark.parametrize("settings", SETTINGS)
def test_gradients_are_those_of_finite_differences_in_float64(check_gradient, settings):
    check_gradient(proxy_anchor, by_loop, **settings)


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    scale=st.floats(0.5, 64),
    margin=st.floats(0, 0.5),
    seed=st.integers(0, 2**32 - 1),
)
def test_mean_is_the_loss_of_the_paper(labels, scale, margin, seed):
    generator = np.random.default_rng(seed)
    f, proxies = (generator.normal(size=(n, 5)).astype("float32") for n in (len(labels), 4))
    f, proxies = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (f, proxies))
    values = np.asarray(proxy_anchor(f, np.array(labels), proxies, margin, scale))
    expected = of_paper(f.astype("float64"), labels, proxies.astype("float64"), margin, scale)
    np.testing.assert_allclose(values.mean(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("settings", [{"margin": -0.1}, {"scale": 0}, {"margin": float("nan")}])
def test_refuses_settings_that_are_out_of_range(settings):
    eye = np.eye(2, dtype="float32")
    with pytest.raises(UserError, match="margin must be 0 or more and scale above 0"):
        proxy_anchor(eye, [0, 1], eye, **settings)
