import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import NoiseInvarianceLoss, noise_invariance

TEMPERATURES = (0.01, 0.03, 0.1, 0.3, 1.0)


def loss_by_loops(clean, noisy, temperature):
    """L_N candidate by candidate, in float64."""
    losses = []
    for i in range(len(clean)):
        scores = [np.dot(noisy[i], clean[j]) / temperature for j in range(len(clean))]
        top = max(scores)
        total = 0.0
        for score in scores:
            total += np.exp(score - top)
        losses.append(top + np.log(total) - scores[i])
    return np.array(losses)


def unit_vectors(count, width=6, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rounded(array, dtype):
    """An array in `dtype`, and the same numbers in float64."""
    tensor = ops.cast(array, dtype)
    return tensor, ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")


@pytest.fixture(scope="session")
def gradients(gradients_of):
    """Function to the gradients of the weighted sum of L_N by both of its inputs."""

    def found(clean, noisy, temperature, weights=1.0):
        weights = ops.convert_to_tensor(weights, "float32")
        return gradients_of(
            lambda c, n: ops.sum(noise_invariance(c, n, temperature) * weights), clean, noisy
        )

    return found


def test_keeps_every_promise_of_a_loss(check_loss):
    clean = unit_vectors(5).astype("float32")
    check_loss(NoiseInvarianceLoss, {"temperature": 0.3}, clean, unit_vectors(5, seed=1))


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("batch_size", [1, 2, 9])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_value_is_that_of_the_double_loop(temperature, batch_size, dtype):
    clean, exact_clean = rounded(unit_vectors(batch_size), dtype)
    noisy, exact_noisy = rounded(unit_vectors(batch_size, seed=1), dtype)
    values = noise_invariance(clean, noisy, temperature)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    assert values.shape == (batch_size,)
    expected = loss_by_loops(exact_clean, exact_noisy, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 / temperature)


@given(
    batch_size=st.integers(1, 8),
    temperature=st.floats(0.01, 1),
    seed=st.integers(0, 2**32 - 1),
    block_rows=st.sampled_from([None, 1, 2, 5]),
)
def test_value_is_that_of_the_double_loop_for_any_batch(
    in_blocks_of, batch_size, temperature, seed, block_rows
):
    clean, exact_clean = rounded(unit_vectors(batch_size, seed=seed), "float32")
    noisy, exact_noisy = rounded(unit_vectors(batch_size, seed=seed + 1), "float32")
    with in_blocks_of(block_rows):
        values = noise_invariance(clean, noisy, temperature)
    expected = loss_by_loops(exact_clean, exact_noisy, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 / temperature)


def test_the_anchor_is_noisy_and_its_target_is_its_own_row():
    clean = np.eye(3, dtype="float32")
    noisy = clean[[0, 1, 1]]
    found = np.log(1 + 2 * np.exp(-1 / 0.2))
    # The third noisy image lies on the second clean one, 1 / 0.2 above its own. Were the
    # anchors the clean ones, the second would pay for it too.
    expected = [found, found, found + 1 / 0.2]
    np.testing.assert_allclose(noise_invariance(clean, noisy, 0.2), expected, rtol=1e-5)


def test_images_of_one_class_are_candidates_too():
    clean = np.repeat(unit_vectors(1), 4, axis=0).astype("float32")
    np.testing.assert_allclose(noise_invariance(clean, clean, 0.01), [np.log(4)] * 4, rtol=1e-5)


def test_one_image_finds_itself():
    values = noise_invariance(unit_vectors(1), -unit_vectors(1), 0.01)
    np.testing.assert_allclose(values, [0.0], atol=1e-4)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
def test_gradient_is_the_custom_gradient_in_float64(gradients, temperature):
    clean, noisy = unit_vectors(7), unit_vectors(7, seed=1)
    weights = np.random.default_rng(2).uniform(-1, 2, 7)
    scores = noisy @ clean.T / temperature
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    error = shifted / shifted.sum(axis=1, keepdims=True) - np.eye(7)
    error *= weights[:, None] / temperature
    of_clean, of_noisy = gradients(clean, noisy, temperature, weights)
    tolerance = {"rtol": 1e-4, "atol": 3e-5 / temperature}
    np.testing.assert_allclose(of_clean, error.T @ noisy, **tolerance)
    np.testing.assert_allclose(of_noisy, error @ clean, **tolerance)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("batch_size", [60, 67])
def test_blocks_change_neither_value_nor_gradient(gradients, in_blocks_of, temperature, batch_size):
    clean, noisy = (unit_vectors(batch_size, 16, seed).astype("float32") for seed in (0, 1))
    weights = np.random.default_rng(2).uniform(-1, 2, batch_size)
    arguments = (clean, noisy, temperature)
    expected_values = noise_invariance(*arguments)
    expected_gradients = gradients(*arguments, weights)
    # A product of fewer rows adds in another order, on CPUs without AVX-512 and by JAX and PyTorch.
    tolerance = {"rtol": 1e-5, "atol": 1e-5 / temperature}
    for num_rows in (5, 8, 66):
        with in_blocks_of(num_rows):
            np.testing.assert_allclose(noise_invariance(*arguments), expected_values, **tolerance)
            found = gradients(*arguments, weights)
            np.testing.assert_allclose(found, expected_gradients, **tolerance)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("blocks", "batch_size"),
    [
        pytest.param(None, None, marks=pytest.mark.tensorflow("sizes are always known")),
        (None, 9),
        (3, 9),
    ],
    indirect=["blocks"],
)
def test_value_and_gradient_inside_a_traced_function(compiled, value_and_gradients, batch_size):
    step = value_and_gradients(NoiseInvarianceLoss())
    arguments = [ops.convert_to_tensor(unit_vectors(9, seed=s), "float32") for s in (0, 1)]
    value, gradients = compiled(step, *2 * [([batch_size, 6], "float32")])(*arguments)
    expected_value, expected_gradients = step(*arguments)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    for found, expected in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_nothing_of_the_size_of_batch_times_batch_is_held_in_blocks(
    in_blocks_of, largest_tensor, value_and_gradients
):
    step = value_and_gradients(NoiseInvarianceLoss())
    arguments = [ops.convert_to_tensor(unit_vectors(90, seed=s), "float32") for s in (0, 1)]
    assert largest_tensor(step, *arguments) == 90 * 90
    with in_blocks_of(9):
        assert largest_tensor(step, *arguments) == 9 * 90


def test_nothing_of_the_size_of_batch_times_batch_is_kept_for_the_backward_pass(largest_kept):
    arguments = [ops.convert_to_tensor(unit_vectors(90, seed=s), "float32") for s in (0, 1)]
    assert largest_kept(NoiseInvarianceLoss(), *arguments) <= 90 * 6


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("blocks", [None, 3], indirect=True)
@pytest.mark.parametrize("temperature", [0.001, 0.01, 1.0])
def test_value_and_gradient_stay_finite(gradients, temperature):
    ones, zeros = np.repeat(unit_vectors(1), 4, axis=0), np.zeros((4, 6))
    for clean in (ones, -ones, zeros, unit_vectors(4)):
        for noisy in (ones, zeros, clean):
            values = noise_invariance(clean, noisy, temperature)
            assert np.all(np.isfinite(ops.convert_to_numpy(values)))
            for gradient in gradients(clean, noisy, temperature):
                assert np.all(np.isfinite(gradient))


def test_reductions_and_sample_weight():
    clean, noisy = unit_vectors(4).astype("float32"), unit_vectors(4, seed=1).astype("float32")
    weights = np.array([0, 1, 2, 5], "float32")
    expected = loss_by_loops(clean, noisy, 0.1)
    np.testing.assert_allclose(NoiseInvarianceLoss()(clean, noisy), expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(
        NoiseInvarianceLoss()(clean, noisy, sample_weight=weights),
        (expected * weights).mean(),
        rtol=1e-5,
    )
    total = NoiseInvarianceLoss(reduction="sum")(clean, noisy)
    np.testing.assert_allclose(total, expected.sum(), rtol=1e-5)
    each = NoiseInvarianceLoss(0.4, reduction=None)(clean, noisy)
    expected = loss_by_loops(clean, noisy, 0.4)
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        noise_invariance(unit_vectors(2), unit_vectors(2), temperature)
    with pytest.raises(UserError, match="temperature"):
        NoiseInvarianceLoss(temperature)
