"""Fixtures of the proxy-based losses' tests: comparison with plain loops in float64."""

import keras
import numpy as np
import pytest
from keras import ops

# Labels of a batch, and the number of classes.
BATCHES = [
    ([0, 1, 2, 0, 1, 2], 3),
    ([3, 3, 3, 3, 1], 5),
    ([0, 0], 1),
    ([1], 2),
]


def unit_vectors(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def proxies_of(num_classes, per_class, width, seed=0):
    shape = (num_classes, width) if per_class is None else (num_classes, per_class, width)
    return unit_vectors(*shape, seed=seed + 100)


@pytest.fixture(params=["float32", "bfloat16", "float16"])
def check_values(request):
    """Function that holds a loss to its loop, in one dtype, for every batch of `BATCHES`.

    Args of the function: loss; by_loop, a function of `(embeddings, labels, proxies, **settings)`
    to the values of all anchors; per_class, the number of proxies of a class where they have an
    axis of their own; settings, which both get.
    """

    def rounded(array):
        tensor = ops.cast(array, request.param)
        return tensor, ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")

    def check(loss, by_loop, per_class=None, **settings):
        for seed, (labels, num_classes) in enumerate(BATCHES):
            f, exact = rounded(unit_vectors(len(labels), 6, seed=seed))
            proxies, exact_proxies = rounded(proxies_of(num_classes, per_class, 6, seed))
            expected = by_loop(exact, labels, exact_proxies, **settings)
            ways = np.array(labels), np.array(labels)[:, None], np.array(labels, "uint8")
            values = loss(f, ways[seed % 3], proxies, **settings)
            assert keras.backend.standardize_dtype(values.dtype) == "float32"
            assert values.shape == (len(labels),)
            found = ops.convert_to_numpy(values)
            np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
            symbolic = loss(
                keras.KerasTensor((None, 6), request.param),
                keras.KerasTensor((None,), "int32"),
                keras.KerasTensor(proxies.shape, request.param),
                **settings,
            )
            assert (symbolic.shape, symbolic.dtype) == ((None,), "float32")

    return check


@pytest.fixture(scope="session")
def check_gradient(gradients_of):
    """Function that holds both gradients of a loss to finite differences of its loop in float64.

    Args of the function: loss, by_loop and per_class as of `check_values`; stops_at_proxies,
    whether the proxies must have no gradient instead; settings, which both get.
    """

    def check(loss, by_loop, per_class=None, stops_at_proxies=False, **settings):
        for seed, (labels, num_classes) in enumerate(BATCHES[:2]):
            exact = [unit_vectors(len(labels), 3, seed=seed)]
            exact.append(proxies_of(num_classes, per_class, 3, seed))
            exact = [array.astype("float32").astype("float64") for array in exact]
            weights = np.random.default_rng(1).uniform(-1, 2, len(labels))

            def total(f, proxies, labels=labels, weights=weights):
                return by_loop(f, labels, proxies, **settings) @ weights

            tensor = ops.convert_to_tensor(weights, "float32")
            targets = np.array(labels)
            # With proxies times 0, a loss that stops at them has a gradient of 0, not none.
            found = gradients_of(
                lambda f, proxies, targets=targets, tensor=tensor: ops.sum(
                    loss(f, targets, proxies, **settings) * tensor + 0.0 * ops.sum(proxies)
                ),
                *exact,
            )
            if stops_at_proxies:
                np.testing.assert_array_equal(found.pop(), np.zeros_like(exact[1]))
            for place, gradient in enumerate(found):
                expected = np.zeros_like(exact[place])
                for index in np.ndindex(expected.shape):
                    sides = []
                    for step in (1e-6, -1e-6):
                        moved = [array.copy() for array in exact]
                        moved[place][index] += step
                        sides.append(total(*moved))
                    expected[index] = (sides[0] - sides[1]) / 2e-6
                np.testing.assert_allclose(gradient, expected, rtol=2e-4, atol=2e-4)

    return check
