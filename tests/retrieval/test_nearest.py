import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.retrieval import nearest as module
from nfl_keras.retrieval.exact_similarity import rounding_bound
from nfl_keras.retrieval.nearest import nearest

# All inner products of these are multiples of 1/4, exact in any precision, so that ties are many.
CELL = np.array([list(v) for v in itertools.product([-0.5, 0.5], repeat=4)], "float32")


def oracle(query, vectors, k, own, allowed):
    """Sort in plain Python: most similar first, then by position."""
    rows = []
    for number, q in enumerate(query.astype(float).tolist()):
        found = [
            (-sum(a * b for a, b in zip(q, v, strict=True)), position)
            for position, v in enumerate(vectors.astype(float).tolist())
            if allowed[position] and position != own[number]
        ]
        found = sorted(found)[:k]
        rows.append([position for _, position in found] + [-1] * (k - len(found)))
    return np.array(rows)


@given(st.data())
def test_matches_the_oracle_whatever_is_allowed_in_any_blocks(data):
    draw = data.draw
    query = CELL[draw(st.lists(st.integers(0, 15), min_size=1, max_size=9))]
    vectors = CELL[draw(st.lists(st.integers(0, 15), min_size=1, max_size=60))]
    vectors = vectors.astype(draw(st.sampled_from(["float32", "float16"])))
    count = len(vectors)
    allowed = np.array(draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    own = st.integers(-1, count - 1)
    own = np.array(draw(st.lists(own, min_size=len(query), max_size=len(query))))
    k = draw(st.integers(1, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", draw(st.sampled_from([1, 100, 2**26])))
        patch.setattr(module, "SPARE", draw(st.integers(0, 16)))
        indices, similarities = nearest(query, vectors, k, own, allowed)
    np.testing.assert_array_equal(indices, oracle(query, vectors, k, own, allowed))
    for number, row in enumerate(indices):
        there = row[row >= 0]
        expected = vectors[there].astype("float32") @ query[number]
        np.testing.assert_array_equal(similarities[number, : len(there)], expected)
        assert np.isneginf(similarities[number, len(there) :]).all()


def test_nothing_allowed_gives_nothing():
    indices, similarities = nearest(CELL[:2], CELL, 3, allowed=np.zeros(16, bool))
    assert (indices == -1).all()
    assert np.isneginf(similarities).all()


def test_float32_sums_are_within_the_bound_and_tie_by_position():
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((700, 40)).astype("float32")
    vectors = np.repeat(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 2, axis=0)
    query = vectors[::70]
    own = np.arange(0, 1400, 70)
    exact, of_exact = nearest(query, vectors, 300, own)
    found, similarities = nearest(query, vectors, 300, own, exact=False)
    assert not (found == own[:, None]).any()
    assert np.abs(similarities - of_exact).max() <= rounding_bound(40)
    assert (np.diff(similarities, axis=1) <= 0).all()
    tied = np.diff(similarities, axis=1) == 0
    assert tied.sum() > 100
    assert (np.diff(found, axis=1)[tied] > 0).all()
    for row, expected in zip(found, exact, strict=True):
        assert len(np.setdiff1d(row, expected)) <= 1
