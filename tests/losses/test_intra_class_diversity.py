import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import IntraClassDiversityLoss, intra_class_diversity

BATCHES = {
    "balanced": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    "unbalanced": [4, 4, 4, 4, 4, 9, 9, 7, 7, 7],
    "one anchor alone": [0, 0, 1, 2, 2, 2],
    "every anchor alone": [3, 1, 2, 0],
    "one class": [5, 5, 5, 5],
    "two of one class": [1, 1],
    "one image": [0],
}
TEMPERATURES = (0.01, 0.1, 1.0)


def loss_by_loops(embeddings, positives, labels, temperature):
    """L_intra as the paper writes it, view by view and negative by negative, in float64."""
    losses = []
    for i, of_i in enumerate(labels):
        negatives = [n for n, of_n in enumerate(labels) if of_n == of_i and n != i]
        total = 0.0
        for view in positives:
            own = np.dot(embeddings[i], view[i]) / temperature
            # -log(e^own / (e^own + sum_n e^s_in)) = log(1 + sum_n e^(s_in - own))
            exponents = [0.0]
            for n in negatives:
                exponents.append(np.dot(embeddings[i], embeddings[n]) / temperature - own)
            top = max(exponents)
            total += top + np.log(sum(np.exp(e - top) for e in exponents))
        losses.append(total)
    return np.array(losses)


def unit_vectors(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def batch(labels, num_views=2, width=6, seed=0):
    """Embeddings, and positives near them whose length is not 1."""
    embeddings = unit_vectors(len(labels), width, seed=seed)
    noise = np.random.default_rng(seed + 1).normal(0, 0.3, (num_views, len(labels), width))
    return embeddings, embeddings + noise


def rounded(array, dtype):
    """An array in `dtype`, and the same numbers in float64."""
    tensor = ops.cast(array, dtype)
    return tensor, ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")


@pytest.fixture(scope="session")
def gradients(gradients_of):
    """Function to the gradients of the weighted sum of L_intra by embeddings and positives."""

    def found(embeddings, positives, labels, temperature, weights=1.0):
        weights = ops.convert_to_tensor(weights, "float32")

        def total(f, p):
            return ops.sum(intra_class_diversity(f, p, labels, temperature) * weights)

        return gradients_of(total, embeddings, positives)

    return found


def test_keeps_every_promise_of_a_loss(check_loss):
    labels, views = np.array([0, 0, 1, 1, 1, 2]), unit_vectors(6, 3, 4)
    check_loss(IntraClassDiversityLoss, {"temperature": 0.3}, labels, views)
    check_loss(IntraClassDiversityLoss, {"temperature": 1.0}, labels[:, None], views)
    assert IntraClassDiversityLoss().temperature == 0.1


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_value_is_that_of_the_double_loop(temperature, labels, dtype):
    embeddings, positives = batch(labels)
    embeddings, exact_embeddings = rounded(embeddings, dtype)
    positives, exact_positives = rounded(positives, dtype)
    values = intra_class_diversity(embeddings, positives, np.array(labels), temperature)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    assert values.shape == (len(labels),)
    expected = loss_by_loops(exact_embeddings, exact_positives, labels, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=2e-6 / temperature)


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=8),
    num_views=st.integers(1, 3),
    temperature=st.floats(0.01, 1),
    seed=st.integers(0, 2**31 - 1),
    as_column=st.booleans(),
    block_rows=st.sampled_from([None, 1, 2, 5]),
)
def test_value_is_that_of_the_double_loop_for_any_batch(
    in_blocks_of, labels, num_views, temperature, seed, as_column, block_rows
):
    embeddings, positives = batch(labels, num_views, seed=seed)
    embeddings, exact_embeddings = rounded(embeddings, "float32")
    positives, exact_positives = rounded(positives, "float32")
    targets = np.array(labels)[:, None] if as_column else np.array(labels)
    with in_blocks_of(block_rows):
        values = intra_class_diversity(embeddings, positives, targets, temperature)
    expected = loss_by_loops(exact_embeddings, exact_positives, labels, temperature)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=2e-6 / temperature)


def test_value_worked_by_hand():
    right, up = [1.0, 0.0], [0.0, 1.0]
    embeddings = np.array([right, up, right, up], "float32")
    positives = np.array([[right, right, right, up], [up, up, [2, 0], up]], "float32")
    values = intra_class_diversity(embeddings, positives, [0, 0, 0, 1], 0.5)
    # The first anchor: its class is at s = 0 and s = 2, its views at s = 2 and s = 0. The last
    # one is alone.
    expected = [
        np.log(1 + np.exp(-2) + 1) + np.log(1 + 1 + np.exp(2)),
        np.log(1 + 1 + 1) + np.log(1 + 2 * np.exp(-2)),
        np.log(1 + np.exp(-2) + 1) + np.log(1 + np.exp(-4) + np.exp(-2)),
        0,
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("labels", BATCHES.values(), ids=BATCHES)
def test_gradient_is_that_of_finite_differences_in_float64(gradients, temperature, labels):
    embeddings, positives = (rounded(x, "float32")[1] for x in batch(labels, width=3))
    weights = np.random.default_rng(1).uniform(-1, 2, len(labels))
    inputs = [embeddings, positives]
    found = gradients(*inputs, np.array(labels), temperature, weights)
    for which, exact in enumerate(inputs):
        expected = np.zeros_like(exact)
        for index in np.ndindex(exact.shape):
            around = []
            for step in (1e-6, -1e-6):
                moved = [x.copy() for x in inputs]
                moved[which][index] += step
                around.append(loss_by_loops(*moved, labels, temperature) @ weights)
            expected[index] = (around[0] - around[1]) / 2e-6
        np.testing.assert_allclose(found[which], expected, rtol=1e-4, atol=3e-5 / temperature)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("batch_size", [60, 67])
def test_blocks_change_neither_value_nor_gradient(gradients, in_blocks_of, temperature, batch_size):
    labels = np.arange(batch_size) % 11
    arguments = (*(x.astype("float32") for x in batch(labels, width=16)), labels, temperature)
    weights = np.random.default_rng(1).uniform(-1, 2, batch_size)
    expected_values = intra_class_diversity(*arguments)
    expected_gradients = gradients(*arguments, weights)
    # A product of fewer rows adds in another order, on CPUs without AVX-512 and by JAX and PyTorch.
    tolerance = {"rtol": 1e-5, "atol": 1e-5 / temperature}
    for num_rows in (5, 8, 66):
        with in_blocks_of(num_rows):
            np.testing.assert_allclose(
                intra_class_diversity(*arguments), expected_values, **tolerance
            )
            found = gradients(*arguments, weights)
            for one, other in zip(found, expected_gradients, strict=True):
                np.testing.assert_allclose(one, other, **tolerance)


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
    step = value_and_gradients(lambda views, labels: IntraClassDiversityLoss()(labels, views))
    traced = compiled(step, ([batch_size, 3, 6], "float32"), ([batch_size], "int32"))
    arguments = (
        ops.convert_to_tensor(unit_vectors(9, 3, 6), "float32"),
        ops.convert_to_tensor(BATCHES["balanced"], "int32"),
    )
    value, [gradient] = traced(*arguments)
    expected_value, [expected_gradient] = step(*arguments)
    np.testing.assert_allclose(value, expected_value, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=1e-5)


def test_nothing_of_the_size_of_batch_times_batch_is_held_in_blocks(
    in_blocks_of, largest_tensor, value_and_gradients
):
    step = value_and_gradients(lambda views, labels: IntraClassDiversityLoss()(labels, views))
    views = ops.convert_to_tensor(unit_vectors(90, 3, 6), "float32")
    labels = ops.convert_to_tensor(np.arange(90) % 30)
    assert largest_tensor(step, views, labels) == 90 * 90
    with in_blocks_of(9):
        assert largest_tensor(step, views, labels) == 90 * 3 * 6


def test_nothing_of_the_size_of_batch_times_batch_is_kept_for_the_backward_pass(largest_kept):
    labels = ops.convert_to_tensor(np.arange(90) % 30)
    views = ops.convert_to_tensor(unit_vectors(90, 3, 6), "float32")
    assert largest_kept(lambda f: IntraClassDiversityLoss()(labels, f), views) <= 90 * 3 * 6


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("blocks", [None, 3], indirect=True)
@pytest.mark.parametrize("temperature", [0.001, 0.1, 1e3])
@pytest.mark.parametrize(
    "embeddings",
    [
        np.repeat(unit_vectors(1, 6), 6, axis=0),
        unit_vectors(6, 6)[[0, 0, 0, 1, 1, 2]],
        np.array([[1, 0], [1, 0], [-1, 0], [-1, 0], [1, 0], [-1, 0]]),
        np.zeros((6, 4)),
    ],
    ids=["all one image", "duplicates", "opposite", "all zero"],
)
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [0] * 6, [0, 1, 2, 3, 4, 5]])
def test_value_and_gradient_stay_finite(gradients, temperature, embeddings, labels):
    embeddings = embeddings.astype("float32")
    positives = np.stack([embeddings, -embeddings, 2 * embeddings])
    for views in (positives[:1], positives[1:2], positives[2:]):
        values = np.asarray(intra_class_diversity(embeddings, views, np.array(labels), temperature))
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0)
    for gradient in gradients(embeddings, positives, np.array(labels), temperature):
        assert np.all(np.isfinite(gradient))


def test_anchors_alone_have_no_term_and_no_gradient(gradients):
    labels = np.array([0, 1, 1, 2])
    embeddings, positives = batch(labels)
    values = np.asarray(intra_class_diversity(embeddings, positives, labels))
    np.testing.assert_array_equal(values > 0, [False, True, True, False])
    for gradient in gradients(embeddings, positives, labels, 0.1):
        of_anchors = np.abs(gradient).reshape(-1, 4, 6).sum(axis=(0, 2))
        np.testing.assert_array_equal(of_anchors > 0, [False, True, True, False])


@pytest.mark.parametrize("per_class", [2, 8])
def test_duplicates_that_are_each_others_views_share_the_term(per_class):
    labels = np.repeat(np.arange(3), per_class)
    clusters = np.eye(3, dtype="float32")[labels]
    values = intra_class_diversity(clusters, clusters[None], labels, 0.05)
    # All K images of a class are at one place: a softmax over K equal candidates.
    np.testing.assert_allclose(values, np.log(per_class), rtol=1e-5)


@given(st.data())
def test_order_of_the_batch_and_names_of_the_classes_do_not_matter(data):
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=2, max_size=9)))
    order = np.array(data.draw(st.permutations(range(len(labels)))))
    names = np.array(data.draw(st.permutations([-5, 0, 1000, 2**30])))
    embeddings, positives = (x.astype("float32") for x in batch(labels))
    values = np.asarray(intra_class_diversity(embeddings, positives, labels))
    permuted = intra_class_diversity(
        embeddings[order], positives[::-1, order], names[labels[order]]
    )
    np.testing.assert_allclose(permuted, values[order], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [2**24, 2**40])
def test_large_class_ids_do_not_collide(first):
    views, labels = unit_vectors(6, 3, 6).astype("float32"), np.array([0, 0, 1, 1, 2, 2])
    expected = IntraClassDiversityLoss(reduction=None)(labels, views)
    found = IntraClassDiversityLoss(reduction=None)(labels + first, views)
    np.testing.assert_array_equal(found, expected)
    assert np.all(np.asarray(expected) > 0.01)


def test_mean_is_over_the_anchors_that_are_not_alone():
    labels = np.array([0, 0, 1, 2, 2, 2, 3])
    weights = np.array([1, 2, 100, 0, 3, 1, 100], "float32")
    views = unit_vectors(7, 3, 6).astype("float32")
    expected = loss_by_loops(views[:, 0], [views[:, 1], views[:, 2]], labels, 0.1)
    assert np.count_nonzero(expected) == 5
    mean = IntraClassDiversityLoss()(labels, views)
    np.testing.assert_allclose(mean, expected.sum() / 5, rtol=1e-5)
    weighted = IntraClassDiversityLoss()(labels, views, sample_weight=weights)
    np.testing.assert_allclose(weighted, (weights * expected).sum() / 5, rtol=1e-5)
    total = IntraClassDiversityLoss(reduction="sum")(labels, views)
    np.testing.assert_allclose(total, expected.sum(), rtol=1e-5)
    assert float(IntraClassDiversityLoss()(np.arange(7), views)) == 0


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_stands_in_compile(policy, tmp_path):
    inputs = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    labels = np.array([0, 0, 0, 1, 1, 1])
    layers = [keras.layers.Dense(12, dtype=policy), keras.layers.Reshape((3, 4))]
    model = keras.Sequential([keras.Input((5,)), *layers, keras.layers.UnitNormalization()])
    model.compile(keras.optimizers.SGD(0.1), loss=IntraClassDiversityLoss(0.3))
    history = model.fit(inputs, labels, batch_size=6, epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()
    assert loaded.evaluate(inputs, labels, verbose=0) == model.evaluate(inputs, labels, verbose=0)


@pytest.mark.parametrize("temperature", [0, -1.0])
def test_refuses_a_temperature_of_0_or_below(temperature):
    with pytest.raises(UserError, match="temperature"):
        intra_class_diversity(unit_vectors(2, 3), unit_vectors(1, 2, 3), [0, 0], temperature)
    with pytest.raises(UserError, match="temperature"):
        IntraClassDiversityLoss(temperature)


def test_refuses_positives_of_which_it_is_not_said_how_many_views_they_are():
    with pytest.raises(UserError, match=r"positives must be \[V, B, D\]"):
        intra_class_diversity(unit_vectors(2, 3), unit_vectors(2, 3), [0, 0])
