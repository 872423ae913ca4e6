import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import SupervisedContrastiveLoss, supervised_contrastive


def of_anchor(f, labels, i, positives, negatives, temperature):
    others = [np.exp(np.dot(f[i], f[a]) / temperature) for a in [*positives, *negatives]]
    shares = [np.exp(np.dot(f[i], f[p]) / temperature) / sum(others) for p in positives]
    return -np.mean(np.log(shares))


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    settings = {"temperature": 9.0}
    check_loss(SupervisedContrastiveLoss, settings, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_value_is_that_of_the_loop(check_values, temperature):
    settings = {"temperature": temperature, "needs_no_negative": True}
    check_values(supervised_contrastive, of_anchor, **settings)


def test_gradient_is_that_of_finite_differences_in_float64(check_gradient):
    settings = {"temperature": 0.3, "needs_no_negative": True}
    check_gradient(supervised_contrastive, of_anchor, **settings)


def test_mean_is_over_the_anchors_with_a_positive():
    f = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    loss = SupervisedContrastiveLoss()
    labels = np.array([0, 0, 0, 1])
    values = np.asarray(supervised_contrastive(f, labels))
    np.testing.assert_allclose(loss(labels, f), values[:3].mean(), rtol=1e-6)
    assert values[3] == 0
    assert float(loss(np.zeros(4, int), f)) > 0


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        supervised_contrastive(np.eye(2, dtype="float32"), [0, 0], temperature)
    with pytest.raises(UserError, match="temperature"):
        SupervisedContrastiveLoss(temperature)
