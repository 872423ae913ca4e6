"""Fixtures of the pair-based losses' tests: comparison with plain loops in float64."""

import keras
import numpy as np
import pytest
from keras import ops

BATCHES = {
    "balanced": [0, 1, 2, 0, 1, 2, 0, 1, 2],
    "unbalanced": [4, 4, 4, 4, 4, 9, 9, 7, 7, 7],
    "one anchor without positives": [0, 0, 1, 2, 2, 2],
    "no positives at all": [3, 1, 2, 0],
    "no negatives at all": [5, 5, 5, 5],
    "two of one class": [1, 1],
    "two of two classes": [1, 2],
    "one image": [0],
}


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def unit_vectors(count, width=6, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _by_loop(of_anchor, embeddings, labels, settings):
    """The oracle's value of each anchor; 0 unless it has both a positive and a negative."""
    values = np.zeros(len(labels))
    for i, of_i in enumerate(labels):
        positives = [p for p, of_p in enumerate(labels) if of_p == of_i and p != i]
        negatives = [n for n, of_n in enumerate(labels) if of_n != of_i]
        if positives and (negatives or settings.get("needs_no_negative")):
            given = {name: v for name, v in settings.items() if name != "needs_no_negative"}
            values[i] = of_anchor(embeddings, labels, i, positives, negatives, **given)
    return values


@pytest.fixture(scope="session")
def by_loop():
    """Function to the oracle's value of each anchor, from a function of one anchor."""
    return _by_loop


@pytest.fixture(params=["float32", "bfloat16", "float16"])
def check_values(request):
    """Function that holds a loss to its loop, in one dtype, for every batch of `BATCHES`.

    Args of the function: loss; of_anchor, a function of `(embeddings, labels, i, positives,
    negatives, **settings)`; settings, which both get.
    """

    def check(loss, of_anchor, tolerance=2e-5, needs_no_negative=False, **settings):
        for seed, labels in enumerate(BATCHES.values()):
            tensor = ops.cast(unit_vectors(len(labels), seed=seed), request.param)
            exact = ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")
            targets = np.array(labels)[:, None] if seed % 2 else np.array(labels)
            values = loss(tensor, targets, **settings)
            assert keras.backend.standardize_dtype(values.dtype) == "float32"
            expected = _by_loop(
                of_anchor, exact, labels, {**settings, "needs_no_negative": needs_no_negative}
            )
            found = ops.convert_to_numpy(values)
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

    return check


@pytest.fixture(scope="session")
def check_gradient(gradients_of):
    """Function that holds a loss' gradient to the finite differences of its loop in float64."""

    def check(loss, of_anchor, tolerance=1e-4, needs_no_negative=False, **settings):
        for_loop = {**settings, "needs_no_negative": needs_no_negative}
        for seed, name in enumerate(("balanced", "unbalanced", "one anchor without positives")):
            labels = BATCHES[name]
            exact = unit_vectors(len(labels), 3, seed).astype("float32").astype("float64")
            weights = np.random.default_rng(1).uniform(-1, 2, len(labels))
            expected = np.zeros_like(exact)
            for index in np.ndindex(exact.shape):
                step = np.zeros_like(exact)
                step[index] = 1e-6
                above = _by_loop(of_anchor, exact + step, labels, for_loop) @ weights
                below = _by_loop(of_anchor, exact - step, labels, for_loop) @ weights
                expected[index] = (above - below) / 2e-6
            weights = ops.convert_to_tensor(weights, "float32")
            targets = np.array(labels)
            [found] = gradients_of(
                lambda f, targets=targets, weights=weights: ops.sum(
                    loss(f, targets, **settings) * weights
                ),
                exact,
            )
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)

    return check
