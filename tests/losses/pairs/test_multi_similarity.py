import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import MultiSimilarityLoss, multi_similarity

WAYS = [
    {"alpha": 2.0, "beta": 50.0, "base": 0.5, "epsilon": 0.1},
    {"alpha": 2.0, "beta": 50.0, "base": 1.0, "epsilon": None},
    {"alpha": 0.5, "beta": 3.0, "base": 0.2, "epsilon": 0.3},
]


def of_anchor(f, labels, i, positives, negatives, alpha, beta, base, epsilon):
    near = [np.dot(f[i], f[p]) for p in positives]
    far = [np.dot(f[i], f[n]) for n in negatives]
    if epsilon is not None:
        near, far = (
            [s for s in near if s < max(far) + epsilon],
            [s for s in far if s > min(near) - epsilon],
        )
    pull = np.log(1 + sum(np.exp(-alpha * (s - base)) for s in near)) / alpha
    return pull + np.log(1 + sum(np.exp(beta * (s - base)) for s in far)) / beta


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    settings = {"alpha": 0.1, "beta": 0.2, "base": 0.3, "epsilon": 99.0}
    check_loss(MultiSimilarityLoss, settings, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("settings", WAYS)
def test_value_is_that_of_the_loop(check_values, settings):
    check_values(multi_similarity, of_anchor, **settings)


@pytest.mark.parametrize("settings", WAYS)
def test_gradient_is_that_of_finite_differences_in_float64(check_gradient, settings):
    check_gradient(multi_similarity, of_anchor, **settings)


def test_mining_leaves_nothing_of_perfect_clusters():
    clusters, labels = np.eye(3, dtype="float32")[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2]
    assert not np.asarray(multi_similarity(clusters, labels)).any()
    assert np.asarray(multi_similarity(clusters, labels, epsilon=None)).all()


@pytest.mark.parametrize("scales", [(0.0, 50.0), (2.0, -1.0)])
def test_refuses_an_alpha_or_beta_of_0_or_below(scales):
    with pytest.raises(UserError, match="alpha and beta must be above 0"):
        multi_similarity(np.eye(2, dtype="float32"), [0, 0], *scales)
    with pytest.raises(UserError, match="alpha and beta must be above 0"):
        MultiSimilarityLoss(*scales)
