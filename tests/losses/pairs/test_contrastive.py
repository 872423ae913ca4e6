import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import ContrastiveLoss, contrastive

WAYS = [
    {"positive_margin": 0.0, "negative_margin": 0.5, "squared": True},
    {"positive_margin": 0.4, "negative_margin": 1.3, "squared": True},
    {"positive_margin": 1.1, "negative_margin": 1.5, "squared": False},
]


def of_anchor(f, labels, i, positives, negatives, positive_margin, negative_margin, squared):
    pulls = [max(0, np.linalg.norm(f[i] - f[p]) - positive_margin) for p in positives]
    pushes = [max(0, negative_margin - np.linalg.norm(f[i] - f[n])) for n in negatives]
    violations = [[v ** (2 if squared else 1) for v in side if v] for side in (pulls, pushes)]
    return sum(np.mean(side) for side in violations if side)


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    settings = {"positive_margin": 0.1, "negative_margin": 30.0, "squared": False}
    check_loss(ContrastiveLoss, settings, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("settings", WAYS)
def test_value_is_that_of_the_double_loop(check_values, settings):
    check_values(contrastive, of_anchor, **settings)


@pytest.mark.parametrize("settings", WAYS)
def test_gradient_is_that_of_finite_differences_in_float64(check_gradient, settings):
    check_gradient(contrastive, of_anchor, **settings)


def test_value_worked_by_hand():
    f = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], "float32")
    values = contrastive(f, [0, 0, 1, 1], negative_margin=1.0)
    near, nearer = (1 - np.sqrt(0.8)) ** 2, (1 - np.sqrt(0.4)) ** 2
    of_second_class = 1.6**2 + 0.8**2
    expected = [2 + near, 2 + nearer, of_second_class + (near + nearer) / 2, of_second_class]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize("margins", [(-0.1, 0.5), (0.5, 0.5), (0.0, float("nan"))])
def test_refuses_margins_that_are_out_of_order(margins):
    with pytest.raises(UserError, match="positive_margin must be 0 or more and below"):
        contrastive(np.eye(2, dtype="float32"), [0, 0], *margins)
    with pytest.raises(UserError, match="positive_margin must be 0 or more and below"):
        ContrastiveLoss(*margins)
