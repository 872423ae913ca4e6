import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.losses import NPairsLoss, n_pairs


def of_anchor(f, labels, i, positives, negatives, temperature):
    images = {c: [j for j, of_j in enumerate(labels) if of_j == c] for c in labels}
    pairs = {c: list(zip(js[::2], js[1::2], strict=False)) for c, js in images.items()}
    own = next((k for k, (first, _) in enumerate(pairs[labels[i]]) if first == i), None)
    of_others = {c: pairs[c] for c in pairs if c != labels[i] and pairs[c]}
    if own is None or not of_others:
        return 0.0
    s_ip = np.dot(f[i], f[pairs[labels[i]][own][1]]) / temperature
    candidates = [pairs_of_c[own % len(pairs_of_c)][1] for pairs_of_c in of_others.values()]
    return np.log(1 + sum(np.exp(np.dot(f[i], f[n]) / temperature - s_ip) for n in candidates))


def test_keeps_every_promise_of_a_loss(check_loss):
    predictions = np.random.default_rng(0).normal(size=(5, 4))
    check_loss(NPairsLoss, {"temperature": 9.0}, np.array([0, 0, 1, 1, 2]), predictions)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_value_is_that_of_the_loop(check_values, temperature):
    check_values(n_pairs, of_anchor, temperature=temperature)


def test_gradient_is_that_of_finite_differences_in_float64(check_gradient):
    check_gradient(n_pairs, of_anchor, temperature=0.3)


def test_pairs_are_right_for_classes_of_every_size(by_loop):
    labels = [c for c in range(14) for _ in range(c + 1)]
    f = np.random.default_rng(0).normal(size=(len(labels), 8)).astype("float32")
    values = n_pairs(f, np.array(labels), temperature=3.0)
    expected = by_loop(of_anchor, f.astype("float64"), labels, {"temperature": 3.0})
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)


def test_is_the_cross_entropy_of_n_pairs():
    f = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    logits = (f[:3] @ f[3:].T).astype("float64")
    expected = np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)
    values = n_pairs(f, [0, 1, 2, 0, 1, 2], temperature=1.0)
    np.testing.assert_allclose(values, [*expected, 0, 0, 0], rtol=1e-5)


def test_mean_is_over_the_first_images_of_pairs():
    f = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    labels = np.array([0, 1, 1, 0, 0, 2])
    values = np.asarray(n_pairs(f, labels))
    assert np.flatnonzero(values).tolist() == [0, 1]
    np.testing.assert_allclose(NPairsLoss()(labels, f), values.sum() / 2, rtol=1e-6)
    assert float(NPairsLoss()(np.array([0, 0, 0, 0, 1, 2]), f)) == 0


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        n_pairs(np.eye(2, dtype="float32"), [0, 0], temperature)
    with pytest.raises(UserError, match="temperature"):
        NPairsLoss(temperature)
