import importlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval.neighbors import neighbors

module = importlib.import_module("nfl_keras.retrieval.nearest")

# The 24 vertices of the 24-cell: all inner products are multiples of 1/4, exact in any
# precision, so that ties are many and the same for everybody.
CELL = [list(v) for v in itertools.product([-0.5, 0.5], repeat=4)]
CELL += [[s * (i == j) for j in range(4)] for i in range(4) for s in (-1.0, 1.0)]


def random_unit(seed, rows, dimension):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def oracle(query, gallery, k, query_ids=None, gallery_ids=None):
    """Sort in plain Python: most similar first, then by position."""
    indices, values = [], []
    for i, q in enumerate(np.asarray(query).tolist()):
        found = []
        for j, g in enumerate(np.asarray(gallery).tolist()):
            if query_ids is None or query_ids[i] != gallery_ids[j]:
                found.append((-sum(a * b for a, b in zip(q, g, strict=True)), j))
        found = sorted(found)[:k] + [(np.inf, -1)] * (k - len(found))
        indices.append([j for _, j in found])
        values.append([-s for s, _ in found])
    return np.array(indices), np.array(values)


def check(query, gallery, k, query_ids=None, gallery_ids=None):
    indices, values = neighbors(query, gallery, k, query_ids, gallery_ids)
    expected_indices, expected_values = oracle(query, gallery, k, query_ids, gallery_ids)
    assert indices.dtype == np.int64
    assert values.dtype == np.float32
    np.testing.assert_array_equal(indices, expected_indices)
    np.testing.assert_allclose(values, expected_values, atol=2e-7)


@given(st.data())
def test_matches_the_oracle_under_ties_and_shared_ids(data):
    query = data.draw(st.lists(st.sampled_from(CELL), min_size=1, max_size=25))
    gallery = data.draw(st.lists(st.sampled_from(CELL), min_size=1, max_size=60))
    k = data.draw(st.integers(1, 30))
    ids = st.integers(0, 80)
    gallery_ids = data.draw(
        st.lists(ids, min_size=len(gallery), max_size=len(gallery), unique=True)
    )
    query_ids = data.draw(st.lists(ids, min_size=len(query), max_size=len(query)))
    check(query, gallery, k, query_ids, gallery_ids)
    check(query, gallery, k)


@pytest.mark.parametrize("block_bytes", [1, 2**20, 2**26])
@pytest.mark.parametrize("k", [1, 10, 150])
def test_random_vectors_match_the_oracle_in_any_blocks(monkeypatch, k, block_bytes):
    monkeypatch.setattr(module, "BLOCK_BYTES", block_bytes)
    gallery = random_unit(0, 120, 24)
    check(gallery[:30], gallery, k, list(range(30)), list(range(120)))


@pytest.mark.parametrize("k", [1, 5, 70])
def test_many_duplicates_tie_by_position(k):
    distinct = random_unit(1, 4, 129)
    places = np.random.default_rng(2).integers(0, 4, 300)
    ids = [f"{i:03d}" for i in range(300)]
    indices, values = neighbors(distinct[places], distinct[places], k, ids, ids)
    for i in range(300):
        same = [j for j in range(300) if places[j] == places[i] and j != i]
        count = min(k, len(same))
        assert indices[i, :count].tolist() == same[:count]
        assert len(set(values[i, :count].tolist())) == 1
    np.testing.assert_array_equal(
        neighbors(distinct[places], distinct[places], k)[0],
        neighbors(distinct, distinct[places], k)[0][places],
    )


def test_near_duplicates_are_ordered_as_in_the_whole_ranking():
    # As far apart as float32 sums of 1024 products err, so that faiss alone misses some.
    rng = np.random.default_rng(3)
    gallery = np.repeat(random_unit(4, 3, 1024), 100, axis=0)
    gallery = gallery + rng.standard_normal(gallery.shape).astype(np.float32) * 1e-7
    head, head_values = neighbors(gallery, gallery, 6)
    whole, whole_values = neighbors(gallery, gallery, 300)
    np.testing.assert_array_equal(head, whole[:, :6])
    np.testing.assert_array_equal(head_values, whole_values[:, :6])
    ordered = np.lexsort((whole, -whole_values), axis=1)
    np.testing.assert_array_equal(ordered, np.tile(np.arange(300), (300, 1)))


def test_ordinary_embeddings_are_settled_by_faiss_alone(monkeypatch):
    def unexpected(*_):
        raise AssertionError("ranked the whole gallery")

    monkeypatch.setattr(module, "_from_everything", unexpected)
    vectors = random_unit(5, 200, 64)
    check(vectors[:20], vectors, 3)


def test_a_query_alone_gets_the_answer_it_gets_in_a_batch():
    query, gallery = random_unit(6, 50, 100), random_unit(7, 400, 100)
    indices, values = neighbors(query, gallery, 8)
    for i in range(50):
        alone, alone_values = neighbors(query[i : i + 1], gallery, 8)
        np.testing.assert_array_equal(alone[0], indices[i])
        np.testing.assert_array_equal(alone_values[0], values[i])


def test_an_exhausted_gallery_is_padded():
    indices, values = neighbors([[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], 3, ["a"], ["a", "b"])
    assert indices.tolist() == [[1, -1, -1]]
    assert values.tolist() == [[0.0, -np.inf, -np.inf]]


@pytest.mark.parametrize("k", [0, -1, 1.5, "3"])
def test_k_must_be_a_whole_number(k):
    with pytest.raises(UserError, match="k must be a whole number of 1 or more, not"):
        neighbors([[1.0]], [[1.0]], k)


def test_each_side_is_checked():
    with pytest.raises(UserError, match="row 1 of the gallery embeddings has NaN"):
        neighbors([[1.0]], [[1.0], [np.nan]], 1)
    with pytest.raises(UserError, match="gallery embeddings have 2 dimensions and the query's 1"):
        neighbors([[1.0]], [[1.0, 0.0]], 1)
    with pytest.raises(UserError, match="gallery_ids is missing"):
        neighbors([[1.0]], [[1.0]], 1, query_ids=[0])
