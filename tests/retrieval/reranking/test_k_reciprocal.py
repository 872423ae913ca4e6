import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rerank_loops import k_reciprocal_order

from nfl_keras.errors import UserError
from nfl_keras.retrieval import KReciprocal
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.retrieval.reranking.searched import Searched


def searched(gallery):
    return Searched(gallery, lambda query, k: nearest(query, gallery, k))


def heads(rerank, query, gallery, own):
    _, head = rerank.ranker(searched(gallery))(query, np.asarray(own))
    return [row[row >= 0].tolist() for row in head]


@st.composite
def settings_of(draw):
    k1 = draw(st.integers(1, 8))
    return {
        "k1": k1,
        "k2": draw(st.integers(1, k1)),
        "weight": draw(st.sampled_from([0.0, 0.3, 1.0])),
        "shortlist": draw(st.integers(k1, k1 + 12)),
    }


@given(settings_of(), st.integers(0, 2**32), st.integers(1, 25), st.booleans(), st.data())
def test_the_order_is_that_of_loops_over_all_pairs(drawn, settings, seed, size, tied, data):
    gallery, query = drawn(seed, size, tied), drawn(seed + 1, 2, tied)
    query[0] = gallery[0]
    own = data.draw(st.lists(st.integers(-1, size - 1), min_size=2, max_size=2))
    found = heads(KReciprocal(**settings), query, gallery, own)
    for row, vector, itself in zip(found, query, own, strict=True):
        expected = k_reciprocal_order(vector, gallery, itself, **settings)
        assert row == expected[: settings["shortlist"]]


def test_a_query_alone_gets_what_it_gets_among_others(clustered):
    vectors, _ = clustered
    rerank, own = KReciprocal(k1=8, k2=3, shortlist=30), np.arange(len(vectors))
    among = heads(rerank, vectors, vectors, own)
    alone = [heads(rerank, vectors[[i]], vectors, own[[i]])[0] for i in range(0, len(vectors), 9)]
    assert among[::9] == alone


def test_it_ranks_as_if_the_own_photograph_were_not_there(clustered):
    vectors, _ = clustered
    rerank, own = KReciprocal(k1=8, k2=3, shortlist=30), np.arange(len(vectors))
    found = heads(rerank, vectors, vectors, own)
    for i in range(0, len(vectors), 9):
        others = np.delete(np.arange(len(vectors)), i)
        [without] = heads(rerank, vectors[[i]], vectors[others], [-1])
        assert found[i] == others[without].tolist()


def test_neighborhoods_find_more_of_a_class_than_similarity(clustered):
    vectors, labels = clustered
    own = np.arange(60)
    found = np.array(heads(KReciprocal(), vectors[:60], vectors, own))
    plain, _ = nearest(vectors[:60], vectors, 19, own)
    right = [(labels[rows[:, :19]] == labels[:60, None]).mean() for rows in (found, plain)]
    assert right[0] > right[1] + 0.05


def test_a_weight_of_1_leaves_the_order_as_it_was(clustered):
    vectors, _ = clustered
    found = heads(KReciprocal(weight=1, shortlist=25), vectors[:20], vectors, np.full(20, -1))
    assert found == nearest(vectors[:20], vectors, 25)[0].tolist()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k1": 0}, "k1 of a k-reciprocal re-ranking must be a whole number of 1 or more, not 0"),
        ({"k1": 5}, "needs k2 <= k1 <= shortlist, not 6, 5 and 100"),
        ({"shortlist": 19}, "needs k2 <= k1 <= shortlist, not 6, 20 and 19"),
        ({"weight": 1.5}, r"weight of a k-reciprocal re-ranking must be in 0..1, not 1.5"),
        ({"weight": float("nan")}, r"must be in 0..1, not nan"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        KReciprocal(**settings)
