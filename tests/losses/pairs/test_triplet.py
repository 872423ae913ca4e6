import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.losses import TripletLoss, triplet

MININGS = ["all", "semi-hard", "hard"]


def triplets_of(f, i, positives, negatives, mining):
    """The mined triplets of an anchor, as `(p, n)`."""

    def distance(j):
        return np.linalg.norm(f[i] - f[j])

    if mining == "all":
        return [(p, n) for p in positives for n in negatives]
    if mining == "hard":
        return [(max(positives, key=distance), min(negatives, key=distance))]
    found = []
    for p in positives:
        farther = [n for n in negatives if distance(n) > distance(p)]
        n = min(farther, key=distance) if farther else max(negatives, key=distance)
        found.append((p, n))
    return found


def of_anchor(f, labels, i, positives, negatives, margin, mining):
    costs = [
        np.linalg.norm(f[i] - f[p]) - np.linalg.norm(f[i] - f[n]) + margin
        for p, n in triplets_of(f, i, positives, negatives, mining)
    ]
    costs = [cost for cost in costs if cost > 0]
    return np.mean(costs) if costs else 0.0


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    settings = {"margin": 30.0, "mining": "all"}
    check_loss(TripletLoss, settings, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("margin", [0.1, 1.0])
@pytest.mark.parametrize("mining", MININGS)
def test_value_is_that_of_the_triple_loop(check_values, mining, margin):
    check_values(triplet, of_anchor, margin=margin, mining=mining)


@pytest.mark.parametrize("mining", MININGS)
def test_gradient_is_that_of_finite_differences_in_float64(check_gradient, mining):
    check_gradient(triplet, of_anchor, margin=0.3, mining=mining)


@given(
    labels=st.lists(st.integers(0, 2), min_size=1, max_size=8),
    mining=st.sampled_from(MININGS),
    margin=st.floats(0.01, 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_value_is_that_of_the_triple_loop_for_any_batch(by_loop, labels, mining, margin, seed):
    f = np.random.default_rng(seed).normal(size=(len(labels), 5)).astype("float32")
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    values = triplet(f, np.array(labels), margin, mining)
    settings = {"margin": margin, "mining": mining}
    expected = by_loop(of_anchor, f.astype("float64"), labels, settings)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_a_negative_as_far_as_the_positive_is_not_semi_hard():
    f = np.array([[1, 0], [0, 1], [0, 1], [-1, 0]], "float32")
    values = triplet(f, [0, 0, 1, 1], margin=1.0, mining="semi-hard")
    # Anchor 0: p and n at sqrt(2), and the negative at 2 is taken.
    np.testing.assert_allclose(values[0], np.sqrt(2) - 2 + 1, rtol=1e-5)


@pytest.mark.parametrize("margin", [0, -1.0, float("nan")])
def test_refuses_a_margin_of_0_or_below(margin):
    with pytest.raises(UserError, match="margin must be above 0"):
        triplet(np.eye(2, dtype="float32"), [0, 0], margin)
    with pytest.raises(UserError, match="margin must be above 0"):
        TripletLoss(margin)


def test_refuses_a_mining_that_there_is_not():
    with pytest.raises(UserError, match="mining must be one of all, semi-hard, hard, not 'easy'"):
        TripletLoss(mining="easy")
