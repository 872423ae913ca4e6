import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import ClassDiscriminationLoss, class_discrimination

BATCHES = {
    "balanced": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    "unbalanced": [4, 4, 4, 4, 4, 9, 9, 7, 7, 7],
    "one anchor without positives": [0, 0, 1, 2, 2, 2],
    "no positives at all": [3, 1, 2, 0],
    "no negatives at all": [5, 5, 5, 5],
    "two of one class": [1, 1],
    "two of two classes": [1, 2],
    "one image": [0],
}
TEMPERATURES = (0.01, 0.03, 0.1, 0.3, 1.0)


def loss_by_loops(embeddings, labels, temperature):
    """L_D pair by pair, in float64."""
    losses = []
    for i, of_i in enumerate(labels):
        positives = [p for p, of_p in enumerate(labels) if of_p == of_i and p != i]
        negatives = [n for n, of_n in enumerate(labels) if of_n != of_i]
        pair_losses = []
        for p in positives:
            s_ip = np.dot(embeddings[i], embeddings[p]) / temperature
            # softplus(logsumexp_n s_in - s_ip) = log(1 + sum_n e^(s_in - s_ip))
            exponents = [0.0]
            for n in negatives:
                exponents.append(np.dot(embeddings[i], embeddings[n]) / temperature - s_ip)
            top = max(exponents)
            pair_losses.append(top + np.log(sum(np.exp(e - top) for e in exponents)))
        losses.append(np.mean(pair_losses) if positives and negatives else 0.0)
    return np.array(losses)


def unit_vectors(count, width=6, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def rounded(array, dtype):
    """An array in `dtype`, and the same numbers in float64."""
    tensor = ops.cast(array, dtype)
    return tensor, ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")


@pytest.fixture(scope="session")
def gradient(gradients_of):
    """Function to the gradient of the weighted sum of L_D by the embeddings."""

    def found(embeddings, labels, temperature, weights=1.0):
        weights = ops.convert_to_tensor(weights, "float32")
        return gradients_of(
            lambda f: ops.sum(class_discrimination(f, labels, temperature) * weights), embeddings
        )[0]

    return found


def test_keeps_every_promise_of_a_loss(check_loss):
    targets = np.array([0, 0, 1, 1, 2])
    check_loss(ClassDiscriminationLoss, {"temperature": 0.3}, targets, unit_vectors(5))
    check_loss(ClassDiscriminationLoss, {"temperature": 1.0}, targets[:, None], unit_vectors(5))


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_value_is_that_of_the_double_loop(temperature, labels, dtype):
    tensor, exact = rounded(unit_vectors(len(labels)), dtype)
    values = class_discrimination(tensor, np.array(labels), temperature)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    assert values.shape == (len(labels),)
    expected = loss_by_loops(exact, labels, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 / temperature)


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    temperature=st.floats(0.01, 1),
    seed=st.integers(0, 2**32 - 1),
    as_column=st.booleans(),
    block_rows=st.sampled_from([None, 1, 2, 5]),
)
def test_value_is_that_of_the_double_loop_for_any_batch(
    in_blocks_of, labels, temperature, seed, as_column, block_rows
):
    tensor, exact = rounded(unit_vectors(len(labels), seed=seed), "float32")
    targets = np.array(labels)[:, None] if as_column else np.array(labels)
    with in_blocks_of(block_rows):
        values = class_discrimination(tensor, targets, temperature)
    expected = loss_by_loops(exact, labels, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 / temperature)


def test_value_worked_by_hand():
    right, up = [1.0, 0.0], [0.0, 1.0]
    values = class_discrimination(np.array([right, up, right, up], "float32"), [0, 0, 1, 1], 0.5)
    # Each anchor: s_ip = 0, and negatives at s = 2 and s = 0.
    np.testing.assert_allclose(values, [np.log(1 + np.exp(2) + 1)] * 4, rtol=1e-6)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES)
def test_gradient_is_that_of_finite_differences_in_float64(gradient, temperature, labels):
    _, exact = rounded(unit_vectors(len(labels), width=3), "float32")
    weights = np.random.default_rng(1).uniform(-1, 2, len(labels))
    expected = np.zeros_like(exact)
    for index in np.ndindex(exact.shape):
        step = np.zeros_like(exact)
        step[index] = 1e-6
        above = loss_by_loops(exact + step, labels, temperature) @ weights
        below = loss_by_loops(exact - step, labels, temperature) @ weights
        expected[index] = (above - below) / 2e-6
    found = gradient(exact, np.array(labels), temperature, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=3e-5 / temperature)


@pytest.mark.parametrize("temperature", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("batch_size", [60, 67])
def test_blocks_change_neither_value_nor_gradient(gradient, in_blocks_of, temperature, batch_size):
    labels = np.arange(batch_size) % 11
    embeddings = unit_vectors(batch_size, width=16).astype("float32")
    weights = np.random.default_rng(1).uniform(-1, 2, batch_size)
    arguments = (embeddings, labels, temperature)
    expected_values = class_discrimination(*arguments)
    expected_gradient = gradient(*arguments, weights)
    # A product of fewer rows adds in another order, on CPUs without AVX-512 and by JAX and PyTorch.
    tolerance = {"rtol": 1e-5, "atol": 1e-5 / temperature}
    for num_rows in (5, 8, 66):
        with in_blocks_of(num_rows):
            np.testing.assert_allclose(
                class_discrimination(*arguments), expected_values, **tolerance
            )
            np.testing.assert_allclose(
                gradient(*arguments, weights), expected_gradient, **tolerance
            )


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
    step = value_and_gradients(lambda f, labels: ClassDiscriminationLoss()(labels, f))
    traced = compiled(step, ([batch_size, 6], "float32"), ([batch_size], "int32"))
    arguments = (
        ops.convert_to_tensor(unit_vectors(9), "float32"),
        ops.convert_to_tensor(BATCHES["balanced"], "int32"),
    )
    value, [gradient] = traced(*arguments)
    expected_value, [expected_gradient] = step(*arguments)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=1e-5)


def test_nothing_of_the_size_of_batch_times_batch_is_held_in_blocks(
    in_blocks_of, largest_tensor, value_and_gradients
):
    step = value_and_gradients(lambda f, labels: ClassDiscriminationLoss()(labels, f))
    embeddings = ops.convert_to_tensor(unit_vectors(90), "float32")
    labels = ops.convert_to_tensor(np.arange(90) % 30)
    assert largest_tensor(step, embeddings, labels) == 90 * 90
    with in_blocks_of(9):
        assert largest_tensor(step, embeddings, labels) == 9 * 90


def test_nothing_of_the_size_of_batch_times_batch_is_kept_for_the_backward_pass(largest_kept):
    labels = ops.convert_to_tensor(np.arange(90) % 30)
    embeddings = ops.convert_to_tensor(unit_vectors(90), "float32")
    assert largest_kept(lambda f: ClassDiscriminationLoss()(labels, f), embeddings) <= 90 * 6


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("blocks", [None, 3], indirect=True)
@pytest.mark.parametrize("temperature", [0.001, 0.01, 1.0])
@pytest.mark.parametrize(
    "embeddings",
    [
        np.repeat(unit_vectors(1), 6, axis=0),
        unit_vectors(6)[[0, 0, 0, 1, 1, 2]],
        np.array([[1, 0], [1, 0], [-1, 0], [-1, 0], [1, 0], [-1, 0]]),
        np.zeros((6, 4)),
    ],
    ids=["all one image", "duplicates", "opposite", "all zero"],
)
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0] * 6, [0, 1, 2, 3, 4, 5]])
def test_value_and_gradient_stay_finite(gradient, temperature, embeddings, labels):
    embeddings = embeddings.astype("float32")
    values = np.asarray(class_discrimination(embeddings, np.array(labels), temperature))
    assert np.all(np.isfinite(values))
    assert np.all(values >= 0)
    assert np.all(np.isfinite(gradient(embeddings, np.array(labels), temperature)))


@pytest.mark.parametrize("per_class", [2, 8])
def test_vanishes_for_perfect_clusters_however_large(per_class):
    labels = np.repeat(np.arange(4), per_class)
    clusters = np.eye(4, dtype="float32")[labels]
    values = np.asarray(class_discrimination(clusters, labels, 0.05))
    # log(1 + |N| e^(-1/tau)); SupCon would not go below log(per_class - 1).
    np.testing.assert_allclose(values, 3 * per_class * np.exp(-20), rtol=1e-2)


@given(st.data())
def test_order_of_the_batch_and_names_of_the_classes_do_not_matter(data):
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=9)))
    order = np.array(data.draw(st.permutations(range(len(labels)))))
    names = np.array(data.draw(st.permutations([-5, 0, 1000, 2**30])))
    embeddings = unit_vectors(len(labels)).astype("float32")
    values = np.asarray(class_discrimination(embeddings, labels))
    permuted = class_discrimination(embeddings[order], names[labels][order])
    np.testing.assert_allclose(permuted, values[order], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [2**24, 2**40])
def test_large_class_ids_do_not_collide(first):
    embeddings = unit_vectors(6).astype("float32")
    labels = np.array([0, 0, 1, 1, 2, 2])
    expected = class_discrimination(embeddings, labels)
    np.testing.assert_array_equal(class_discrimination(embeddings, labels + first), expected)
    mean = ClassDiscriminationLoss()(labels, embeddings)
    assert float(ClassDiscriminationLoss()(labels + first, embeddings)) == float(mean) > 0.1


@pytest.fixture
def bfloat16_floatx():
    keras.config.set_floatx("bfloat16")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("bfloat16_floatx")
def test_class_ids_do_not_collide_where_bfloat16_is_the_default():
    embeddings = ops.cast(unit_vectors(6), "bfloat16")
    labels = np.array([0, 0, 1, 1, 2, 2])
    expected = float(ClassDiscriminationLoss()(labels, embeddings))
    assert float(ClassDiscriminationLoss()(labels + 256, embeddings)) == expected > 0.1


@pytest.mark.parametrize(
    ("policy", "labels"),
    [
        ("float32", np.arange(6) // 2 + 2**24),
        ("float32", (np.arange(6) // 2 + 2**24).astype("int32")[:, None]),
        ("mixed_bfloat16", np.arange(6) // 2 + 256),
    ],
)
def test_class_ids_do_not_collide_on_their_way_through_fit(policy, labels):
    images = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(4, dtype=policy)
    model = keras.Sequential([keras.Input((5,)), dense, keras.layers.UnitNormalization()])
    model.compile(keras.optimizers.SGD(0.1), loss=ClassDiscriminationLoss())
    before, results = model.get_weights(), []
    for targets in (np.arange(6) // 2, labels):
        model.set_weights(before)
        history = model.fit(images, targets, 6, 2, verbose=0, shuffle=False).history["loss"]
        results.append([*history, model.evaluate(images, targets, batch_size=6, verbose=0)])
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    assert results[0][0] > results[0][-1] > 0


def test_mean_is_over_the_anchors_with_a_positive_and_a_negative():
    labels = np.array([0, 0, 1, 2, 2, 2, 3])
    weights = np.array([1, 2, 100, 0, 3, 1, 100], "float32")
    embeddings, exact = rounded(unit_vectors(7), "float32")
    expected = loss_by_loops(exact, labels, 0.1)
    assert np.count_nonzero(expected) == 5
    mean = ClassDiscriminationLoss()(labels, embeddings)
    np.testing.assert_allclose(mean, expected.sum() / 5, rtol=1e-5)
    weighted = ClassDiscriminationLoss()(labels, embeddings, sample_weight=weights)
    np.testing.assert_allclose(weighted, (weights * expected).sum() / 5, rtol=1e-5)
    total = ClassDiscriminationLoss(reduction="sum")(labels, embeddings)
    np.testing.assert_allclose(total, expected.sum(), rtol=1e-5)
    each = ClassDiscriminationLoss(0.4, reduction=None)(labels, embeddings)
    expected = loss_by_loops(exact, labels, 0.4)
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-6)
    assert float(ClassDiscriminationLoss()(np.arange(7), embeddings)) == 0


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        class_discrimination(unit_vectors(2), [0, 0], temperature)
    with pytest.raises(UserError, match="temperature"):
        ClassDiscriminationLoss(temperature)
