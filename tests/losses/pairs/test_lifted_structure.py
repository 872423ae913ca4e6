import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import LiftedStructureLoss, lifted_structure


def of_anchor(f, labels, i, positives, negatives, margin):
    costs = []
    for p in positives:
        of_i = [np.exp(margin - np.linalg.norm(f[i] - f[n])) for n in negatives]
        of_p = [np.exp(margin - np.linalg.norm(f[p] - f[n])) for n in negatives]
        cost = np.linalg.norm(f[i] - f[p]) + np.log(sum(of_i) + sum(of_p))
        costs.append(max(0, cost) ** 2 / 2)
    return np.mean(costs)


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    check_loss(LiftedStructureLoss, {"margin": 0.7}, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("margin", [0.1, 1.0])
def test_value_is_that_of_the_triple_loop(check_values, margin):
    check_values(lifted_structure, of_anchor, margin=margin)


def test_gradient_is_that_of_finite_differences_in_float64(check_gradient):
    check_gradient(lifted_structure, of_anchor, margin=0.1)


@pytest.mark.parametrize("margin", [0, -1.0, float("nan")])
def test_refuses_a_margin_of_0_or_below(margin):
    with pytest.raises(UserError, match="margin must be above 0"):
        lifted_structure(np.eye(2, dtype="float32"), [0, 0], margin)
    with pytest.raises(UserError, match="margin must be above 0"):
        LiftedStructureLoss(margin)
