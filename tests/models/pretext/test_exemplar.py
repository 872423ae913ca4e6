import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.layers import RandomView
from nfl_keras.models.pretext import Exemplar

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 9, 8, 3)).astype("float32")


def test_keeps_every_promise_of_a_task(check_task):
    check_task(Exemplar, {"head_dim": 5, "temperature": 0.3, "seed": 3})


def test_changes_are_the_six_of_the_docstring():
    """`RandomView` has oracles of its own; here, each strength reaches it."""
    task = Exemplar(seed=0)
    draws = np.random.default_rng(1).uniform(size=(6, 8)).astype("float32")
    view = RandomView(0.2, 1.4, 20, False, 0.5, 0.5, 0.1)
    np.testing.assert_array_equal(task.render(IMAGES, draws), view.render(IMAGES, draws))
    still = np.full((6, 8), 0.5, "float32")
    np.testing.assert_allclose(task.render(IMAGES, still), IMAGES, atol=1e-2)
    for which in (0, 1, 2, 3, 5, 6, 7):
        changed = still.copy()
        changed[:, which] = 1
        assert np.abs(np.asarray(task.render(IMAGES, changed)) - IMAGES).max() > 5
    changed = still.copy()
    changed[:, 4] = 1
    np.testing.assert_allclose(task.render(IMAGES, changed), IMAGES, atol=1e-2)


def test_draws_are_uniform_and_of_each_image():
    draws = np.asarray(Exemplar().draw(np.zeros((2000, 1)), seed=0))
    assert draws.shape == (2000, 8)
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 4 / np.sqrt(12 * 2000)
    assert np.abs(np.corrcoef(draws.T) - np.eye(8)).max() < 4 / np.sqrt(2000)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_value_is_that_of_loops_over_the_photographs_of_the_batch(temperature):
    task = Exemplar(head_dim=4, temperature=temperature)
    task.build((None, 7))
    features, clean = np.random.default_rng(0).normal(size=(2, 6, 7)).astype("float32")
    kernel = task.get_weights()[0].astype("float64")
    assert len(task.weights) == 1

    def unit(z):
        return z @ kernel / np.linalg.norm(z @ kernel)

    expected = []
    for i in range(6):
        scores = [unit(features[i]) @ unit(clean[j]) / temperature for j in range(6)]
        expected.append(np.log(np.sum(np.exp(scores))) - scores[i])
    found = ops.convert_to_numpy(task.values(features, clean, np.zeros((6, 8), "float32")))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_refuses_impossible_settings():
    with pytest.raises(UserError, match="head_dim must be 1 or more"):
        Exemplar(head_dim=0)
    with pytest.raises(UserError, match="temperature must be above 0"):
        Exemplar(temperature=0)
