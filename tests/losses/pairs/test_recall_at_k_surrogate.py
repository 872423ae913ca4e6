import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import RecallAtKSurrogateLoss, recall_at_k_surrogate

WAYS = [
    {"ks": [1, 2, 4, 8, 16], "temperature": 0.01, "rank_temperature": 1.0},
    {"ks": [1, 3], "temperature": 0.2, "rank_temperature": 2.5},
]


def logistic(x):
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))


def of_anchor(f, labels, i, positives, negatives, ks, temperature, rank_temperature):
    recalls = []
    for k in ks:
        found = 0.0
        for p in positives:
            others = [j for j in range(len(labels)) if j not in (i, p)]
            above = [logistic((f[i] @ f[j] - f[i] @ f[p]) / temperature) for j in others]
            found += logistic((k - 1 - sum(above)) / rank_temperature)
        recalls.append(found / min(k, len(positives)))
    return 1 - np.mean(recalls)


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    settings = {"ks": [1, 3], "temperature": 9.0, "rank_temperature": 2.0}
    check_loss(RecallAtKSurrogateLoss, settings, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("settings", WAYS)
def test_value_is_that_of_the_triple_loop(check_values, settings):
    check_values(recall_at_k_surrogate, of_anchor, **settings)


@pytest.mark.parametrize("settings", WAYS)
def test_gradient_is_that_of_finite_differences_in_float64(check_gradient, settings):
    check_gradient(recall_at_k_surrogate, of_anchor, tolerance=5e-4, **settings)


def test_falls_as_a_positive_comes_nearer():
    labels = [0, 0, 1, 1]
    far = np.array([[1, 0], [0, 1], [0.9, 0.1], [0.1, 0.9]], "float32")
    near = np.array([[1, 0], [0.95, 0.05], [0.1, 0.9], [0, 1]], "float32")
    values = [np.asarray(recall_at_k_surrogate(f, labels, ks=[1])) for f in (far, near)]
    assert np.all(values[0] > values[1])


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ks": []}, "ks must be integers"),
        ({"ks": [0, 1]}, "ks must be integers"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"rank_temperature": -1}, "temperature must be above 0"),
    ],
)
def test_refuses_settings_that_are_out_of_range(settings, reason):
    with pytest.raises(UserError, match=reason):
        recall_at_k_surrogate(np.eye(2, dtype="float32"), [0, 0], **settings)
    with pytest.raises(UserError, match=reason):
        RecallAtKSurrogateLoss(**settings)
