import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import EPSHNLoss, epshn


def of_anchor(f, labels, i, positives, negatives, temperature):
    easy = max(np.dot(f[i], f[p]) for p in positives)
    semi_hard = [s for s in (np.dot(f[i], f[n]) for n in negatives) if s < easy]
    if not semi_hard:
        return 0.0
    top, other = np.exp(easy / temperature), np.exp(max(semi_hard) / temperature)
    return -np.log(top / (top + other))


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    check_loss(EPSHNLoss, {"temperature": 9.0}, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_value_is_that_of_the_loop(check_values, temperature):
    check_values(epshn, of_anchor, temperature=temperature)


def test_gradient_is_that_of_finite_differences_in_float64(check_gradient):
    check_gradient(epshn, of_anchor, temperature=0.3)


def test_an_anchor_without_a_semi_hard_negative_costs_nothing(gradients_of):
    f = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], "float32")
    assert np.asarray(epshn(f, [0, 0, 1, 1])).tolist() == [0, 0, 0, 0]
    [gradient] = gradients_of(lambda f: ops.sum(epshn(f, np.array([0, 0, 1, 1]))), f)
    assert not gradient.any()


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        epshn(np.eye(2, dtype="float32"), [0, 0], temperature)
    with pytest.raises(UserError, match="temperature"):
        EPSHNLoss(temperature)
