import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rerank_loops import expanded_query

from nfl_keras.errors import UserError
from nfl_keras.retrieval import AlphaQueryExpansion
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.searched import Searched


def expand(rerank, query, gallery, own):
    search = Searched(gallery, lambda query, k: nearest(query, gallery, k))
    expanded, head = rerank.ranker(search)(query, np.asarray(own))
    assert head.shape == (len(query), 0)
    return expanded


@given(
    st.integers(1, 12),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.integers(0, 2**32),
    st.integers(1, 25),
    st.booleans(),
    st.data(),
)
def test_the_query_is_that_of_loops(drawn, n, alpha, seed, size, tied, data):
    gallery, query = drawn(seed, size, tied), drawn(seed + 1, 2, tied)
    own = data.draw(st.lists(st.integers(-1, size - 1), min_size=2, max_size=2))
    expected = [
        expanded_query(vector, gallery, itself, n, alpha)
        for vector, itself in zip(query, own, strict=True)
    ]
    found = expand(AlphaQueryExpansion(n, alpha), query, gallery, own)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32


def test_a_worked_example():
    gallery = np.array([[0.8, 0.6], [0.0, 1.0], [0.6, -0.8]], np.float32)
    query = np.array([[1.0, 0.0]], np.float32)
    # 0.8^2 times the first and 0.6^2 times the third.
    total = np.array([1 + 0.512 + 0.216, 0.384 - 0.288])
    found = expand(AlphaQueryExpansion(n=2, alpha=2), query, gallery, [-1])
    np.testing.assert_allclose(found[0], total / np.linalg.norm(total), rtol=1e-6)
    total = np.array([1 + 0.216, -0.288])
    found = expand(AlphaQueryExpansion(n=1, alpha=2), query, gallery, [0])
    np.testing.assert_allclose(found[0], total / np.linalg.norm(total), rtol=1e-6)


def test_a_query_alone_gets_what_it_gets_among_others(clustered):
    vectors, _ = clustered
    own = np.arange(len(vectors))
    among = expand(AlphaQueryExpansion(), vectors, vectors, own)
    alone = [expand(AlphaQueryExpansion(), vectors[[i]], vectors, own[[i]])[0] for i in own]
    np.testing.assert_array_equal(among, alone)


def test_opposite_vectors_leave_the_query_as_it_is():
    query = np.array([[1.0, 0.0]], np.float32)
    found = expand(AlphaQueryExpansion(n=1, alpha=0), query, -query, [-1])
    np.testing.assert_array_equal(found, query)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, "n of an alpha expansion must be a whole number of 1 or more, not 0"),
        ({"alpha": -1}, "alpha of an alpha expansion must be 0 or more, not -1"),
        ({"alpha": float("inf")}, "must be 0 or more, not inf"),
        ({"alpha": float("nan")}, "must be 0 or more, not nan"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        AlphaQueryExpansion(**settings)
