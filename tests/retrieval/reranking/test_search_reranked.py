import numpy as np
import pytest
from rerank_loops import dot, expanded_query, k_reciprocal_order, plain_order

from nfl_keras.retrieval import AlphaQueryExpansion, KReciprocal
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.search_reranked import search_reranked
from nfl_keras.retrieval.reranking.searched import Searched

RERANKS = [KReciprocal(k1=6, k2=3, shortlist=20), AlphaQueryExpansion(n=3, alpha=2)]


def search(rerank, query, gallery, k):
    searched = Searched(gallery, lambda query, k: nearest(query, gallery, k))
    return search_reranked(rerank, query, k, searched)


@pytest.fixture(scope="module")
def sets(clustered):
    vectors, _ = clustered
    return vectors[:4], vectors[2:60]


@pytest.mark.parametrize("k", [1, 7, 20, 58, 70])
def test_what_is_not_on_the_shortlist_follows_by_similarity(sets, k):
    query, gallery = sets
    positions, similarities = search(RERANKS[0], query, gallery, k)
    for row, vector, similar in zip(positions, query, similarities, strict=True):
        expected = k_reciprocal_order(vector, gallery, -1, k1=6, k2=3, weight=0.3, shortlist=20)
        expected = [*expected[:k], *[-1] * (k - 58)]
        assert row.tolist() == expected
        right = [dot(vector, gallery[g]) if g >= 0 else -np.inf for g in expected]
        np.testing.assert_allclose(similar, right, atol=1e-6)


def test_an_expanded_query_ranks_everything_and_similarities_stay_the_querys(sets):
    query, gallery = sets
    positions, similarities = search(RERANKS[1], query, gallery, 58)
    for row, vector, similar in zip(positions, query, similarities, strict=True):
        expanded = np.array(expanded_query(vector, gallery, -1, 3, 2), np.float32)
        assert row.tolist() == plain_order(expanded, gallery, -1)
        np.testing.assert_allclose(similar, gallery[row] @ vector, atol=1e-6)


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_a_query_alone_gets_what_it_gets_among_others(clustered, rerank):
    vectors, _ = clustered
    gallery = vectors[::2]
    together = search(rerank, vectors[:70], gallery, 12)
    for number in (0, 1, 63, 64, 69):
        alone = search(rerank, vectors[[number]], gallery, 12)
        for one, several in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], several[number])


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_a_gallery_of_half_floats_is_searched(clustered, rerank):
    vectors, _ = clustered
    halves = vectors.astype(np.float16)
    expected = search(rerank, vectors[:3], halves.astype(np.float32), 12)
    for found, right in zip(search(rerank, vectors[:3], halves, 12), expected, strict=True):
        np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize("rerank", RERANKS, ids=str)
def test_nothing_is_found_where_nothing_may_be(clustered, rerank):
    vectors, _ = clustered
    none = np.zeros(len(vectors), bool)
    searched = Searched(vectors, lambda query, k: nearest(query, vectors, k, allowed=none))
    positions, similarities = search_reranked(rerank, vectors[:2], 3, searched)
    assert (positions == -1).all()
    assert np.isneginf(similarities).all()
