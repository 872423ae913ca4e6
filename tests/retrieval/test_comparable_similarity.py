import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.retrieval.comparable_similarity import comparable_similarity
from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid

# The module's name is also its function's.
module = importlib.import_module("nfl_keras.retrieval.comparable_similarity")

# Limits by which every query takes the same of the three ways.
WAYS = {
    "product in float64": {"LARGE_CLASSES": 10**9},
    "items one by one": {"LARGE_CLASSES": 1, "CROWDED": 1},
    "items all together": {"LARGE_CLASSES": 1, "CROWDED": 10**9},
}


def close_vectors(rng, rows, dimension):
    """Copies of a few unit vectors, many of them equal and many a few roundings apart."""
    vectors = rng.standard_normal((rows, dimension))[rng.integers(0, max(1, rows // 4), rows)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors += rng.choice([0, 1e-8, 1e-7, 1e-6], (rows, 1)) * rng.standard_normal((rows, dimension))
    return vectors.astype(np.float32)


@pytest.mark.parametrize("way", WAYS)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 90))
def test_comparisons_with_relevant_items_are_exact(way, seed, rows, dimension):
    rng = np.random.default_rng(seed)
    gallery = close_vectors(rng, rows, dimension)
    own = np.where(rng.random(5) < 0.5, rng.integers(0, rows, 5), -1)
    query = gallery[rng.integers(0, rows, 5)]
    relevant = [np.flatnonzero(rng.random(rows) < 0.2) for _ in own]
    relevant = [hits[hits != mine] for hits, mine in zip(relevant, own, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in WAYS[way].items():
            patch.setattr(module, name, value)
        found = comparable_similarity(query, gallery, relevant, own)
    exact = exact_similarity(round_to_grid(query), round_to_grid(gallery))
    for row, expected, hits, mine in zip(found, exact, relevant, own, strict=True):
        if mine >= 0:
            expected[mine] = -np.inf
        for hit in hits:
            np.testing.assert_array_equal(row > row[hit], expected > expected[hit])
            np.testing.assert_array_equal(row == row[hit], expected == expected[hit])
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4)


def test_few_similarities_are_computed_again(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = []

    def counted(query, gallery):
        pairs.append(len(query) * len(gallery))
        return exact_similarity(query, gallery)

    monkeypatch.setattr(module, "exact_similarity", counted)
    relevant = [np.array([(i + 1) % 3000]) for i in range(50)]
    comparable_similarity(vectors[:50], vectors, relevant, np.arange(50))
    assert 50 * 1 <= sum(pairs) < 50 * 3000 / 100
