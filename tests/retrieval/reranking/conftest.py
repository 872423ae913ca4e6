"""Vectors that re-ranking is tested on."""

import itertools

import numpy as np
import pytest

# The 24 vertices of the 24-cell: all inner products are multiples of 1/4, so that ties are many.
CELL = [list(v) for v in itertools.product([-0.5, 0.5], repeat=4)]
CELL += [[s * (i == j) for j in range(4)] for i in range(4) for s in (-1.0, 1.0)]


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def drawn():
    """A function from a seed, a size and whether there are ties to vectors `[size, 4]`."""

    def draw(seed, size, tied):
        rng = np.random.default_rng(seed)
        if tied:
            return np.array(CELL, np.float32)[rng.integers(0, 24, size)]
        return unit(rng.normal(size=(size, 4)))[rng.integers(0, size, size)]

    return draw


@pytest.fixture(scope="session")
def clustered():
    """Vectors `[180, 24]` of 9 classes, some of them twice, and their labels."""
    rng = np.random.default_rng(5)
    labels = np.arange(180) % 9
    vectors = unit(rng.normal(size=(9, 24))[labels] + 1.6 * rng.normal(size=(180, 24)))
    vectors[20::40] = vectors[11::40][: len(vectors[20::40])]
    return vectors, labels
