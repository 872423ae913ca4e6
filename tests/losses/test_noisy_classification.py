import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import NoisyClassificationLoss, noisy_classification


def loss_by_loops(logits, labels, label_smoothing):
    """L_S class by class, in float64."""
    losses = []
    for row, label in zip(logits, labels, strict=True):
        num_classes = len(row)
        top = max(row)
        log_total = top + np.log(sum(np.exp(logit - top) for logit in row))
        loss = 0.0
        for k in range(num_classes):
            share = 1 - label_smoothing if k == label else label_smoothing / (num_classes - 1)
            loss -= share * (row[k] - log_total)
        losses.append(loss)
    return np.array(losses)


def logits_of(batch_size, num_classes, scale=3.0, seed=0):
    return np.random.default_rng(seed).normal(0, scale, (batch_size, num_classes))


def rounded(array, dtype):
    """An array in `dtype`, and the same numbers in float64."""
    tensor = ops.cast(array, dtype)
    return tensor, ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")


def test_keeps_every_promise_of_a_loss(check_loss):
    targets = np.array([0, 3, 1, 1, 2])
    arguments = {"label_smoothing": 0.2}
    check_loss(NoisyClassificationLoss, arguments, targets, logits_of(5, 4))
    check_loss(NoisyClassificationLoss, arguments, targets[:, None], logits_of(5, 4))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("num_classes", [1, 2, 3, 17])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_value_is_that_of_the_double_loop(label_smoothing, num_classes, dtype):
    logits, exact = rounded(logits_of(6, num_classes), dtype)
    labels = np.arange(6) % num_classes
    for targets in (labels, labels[:, None], labels.astype("uint8")):
        values = noisy_classification(logits, targets, label_smoothing)
        assert keras.backend.standardize_dtype(values.dtype) == "float32"
        assert values.shape == (6,)
        expected = loss_by_loops(exact, labels, label_smoothing)
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)


@given(
    num_classes=st.integers(1, 9),
    label_smoothing=st.floats(0, 0.99),
    scale=st.floats(0, 100),
    seed=st.integers(0, 2**32 - 1),
)
def test_value_is_that_of_the_double_loop_for_any_batch(num_classes, label_smoothing, scale, seed):
    logits, exact = rounded(logits_of(4, num_classes, scale, seed), "float32")
    labels = np.random.default_rng(seed).integers(0, num_classes, 4)
    values = noisy_classification(logits, labels, label_smoothing)
    expected = loss_by_loops(exact, labels, label_smoothing)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-4)


def test_smoothing_goes_to_the_other_classes_only():
    logits = logits_of(5, 4).astype("float32")
    labels = np.array([0, 1, 2, 3, 0])
    spread = np.full((5, 4), 0.3 / 3)
    spread[np.arange(5), labels] = 0.7
    expected = keras.losses.categorical_crossentropy(spread, logits, from_logits=True)
    values = noisy_classification(logits, labels, 0.3)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    over_all_classes = keras.losses.categorical_crossentropy(
        np.eye(4)[labels], logits, from_logits=True, label_smoothing=0.3
    )
    assert np.all(np.abs(np.asarray(values) - np.asarray(over_all_classes)) > 1e-3)


def test_two_classes_worked_by_hand():
    values = noisy_classification(np.array([[2.0, 0.0]], "float32"), [0], 0.1)
    log_p = np.log(1 / (1 + np.exp(-2.0)))
    np.testing.assert_allclose(values, [-0.9 * log_p - 0.1 * (log_p - 2)], rtol=1e-6)


def test_one_class_costs_nothing():
    values = noisy_classification(np.array([[3.0], [-7.0]], "float32"), [0, 0], 0.1)
    assert np.asarray(values).tolist() == [0, 0]


def test_large_class_ids_do_not_collide():
    logits = np.zeros((2, 300), "float32")
    logits[:, 256] = 5
    near, far = np.asarray(
        noisy_classification(ops.cast(logits, "bfloat16"), np.array([256, 257]), 0.0)
    )
    np.testing.assert_allclose(far - near, 5, rtol=1e-5)


@pytest.mark.parametrize("num_classes", [1, 2, 5])
def test_gradient_is_the_custom_gradient_in_float64(gradients_of, num_classes):
    exact = logits_of(6, num_classes)
    labels = np.arange(6) % num_classes
    targets = np.full((6, num_classes), 0.1 / max(num_classes - 1, 1))
    targets[np.arange(6), labels] = 0.9
    probabilities = np.exp(exact) / np.exp(exact).sum(axis=1, keepdims=True)
    expected = probabilities * targets.sum(axis=1, keepdims=True) - targets
    [found] = gradients_of(lambda z: ops.sum(noisy_classification(z, labels, 0.1)), exact)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_extreme_logits_stay_finite(gradients_of):
    logits = np.array([[1e4, -1e4, 0.0], [1e30, 0.0, 0.0]], "float32")
    values = noisy_classification(logits, [1, 0], 0.1)
    assert np.all(np.isfinite(np.asarray(values)))
    np.testing.assert_allclose(values[0], 0.9 * 2e4 + 0.05 * 1e4, rtol=1e-6)
    [gradient] = gradients_of(lambda z: ops.sum(noisy_classification(z, [1, 0], 0.1)), logits)
    assert np.all(np.isfinite(gradient))


def test_reductions_and_sample_weight():
    logits, labels = logits_of(4, 3).astype("float32"), np.array([0, 1, 2, 2])
    weights = np.array([0, 1, 2, 5], "float32")
    expected = loss_by_loops(logits, labels, 0.1)
    np.testing.assert_allclose(NoisyClassificationLoss()(labels, logits), expected.mean(), 1e-5)
    weighted = NoisyClassificationLoss()(labels, logits, sample_weight=weights)
    np.testing.assert_allclose(weighted, (expected * weights).mean(), rtol=1e-5)
    total = NoisyClassificationLoss(reduction="sum")(labels, logits)
    np.testing.assert_allclose(total, expected.sum(), rtol=1e-5)
    each = NoisyClassificationLoss(0.4, reduction=None)(labels, logits)
    expected = loss_by_loops(logits, labels, 0.4)
    np.testing.assert_allclose(each, expected, rtol=1e-5)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, 2, float("nan")])
def test_refuses_a_label_smoothing_outside_of_0_to_1(label_smoothing):
    with pytest.raises(UserError, match="label_smoothing must lie in"):
        noisy_classification(np.zeros((1, 2), "float32"), [0], label_smoothing)
    with pytest.raises(UserError, match="label_smoothing must lie in"):
        NoisyClassificationLoss(label_smoothing)
