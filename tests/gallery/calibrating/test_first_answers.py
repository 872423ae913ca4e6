import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.gallery.calibrating import first_answers as module
from nfl_keras.gallery.calibrating.first_answers import first_answers

# All inner products of these are multiples of 1/4, exact in any precision, so that ties are many.
CELL = np.array([list(v) for v in itertools.product([-0.5, 0.5], repeat=4)], "float32")


def oracle(query, query_labels, vectors, labels, own):
    """The answers by a loop over all pairs: similarity, right, present, of another class."""
    rows = []
    for number, q in enumerate(query.astype(float)):
        pairs = [
            (float(q @ vectors[place].astype(float)), -place, labels[place] == query_labels[number])
            for place in range(len(vectors))
            if place != own[number]
        ]
        best = max(pairs, default=(-np.inf, 0, False))
        others = [similarity for similarity, _, same in pairs if not same]
        rows.append((best[0], best[2], any(p[2] for p in pairs), max(others, default=-np.inf)))
    return [np.array(column) for column in zip(*rows, strict=True)]


@given(st.data())
def test_matches_a_loop_over_all_pairs(data):
    draw = data.draw
    query = CELL[draw(st.lists(st.integers(0, 15), min_size=1, max_size=9))]
    vectors = CELL[draw(st.lists(st.integers(0, 15), min_size=1, max_size=60))]
    count, some = len(vectors), st.integers(0, draw(st.integers(0, 4)))
    labels = np.array(draw(st.lists(some, min_size=count, max_size=count)))
    query_labels = np.array(draw(st.lists(some, min_size=len(query), max_size=len(query))))
    own = st.integers(-1, count - 1)
    own = np.array(draw(st.lists(own, min_size=len(query), max_size=len(query))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_GROWTH", draw(st.sampled_from([2, 8])))
        patch.setattr(module, "_COST", draw(st.sampled_from([0.01, 1, 8])))
        answers = first_answers(query, query_labels, vectors, labels, own)
    similarity, right, present, other = oracle(query, query_labels, vectors, labels, own)
    np.testing.assert_array_equal(answers.similarity, similarity)
    np.testing.assert_array_equal(answers.right, right)
    np.testing.assert_array_equal(answers.present, present)
    np.testing.assert_array_equal(answers.other_similarity, other)


def test_classes_larger_than_any_list_of_neighbors_are_searched_without(monkeypatch):
    depths = []
    plain = module.nearest

    def counted(query, vectors, k, own, allowed=None):
        depths.append((len(query), k, None if allowed is None else int(allowed.sum())))
        return plain(query, vectors, k, own, allowed)

    monkeypatch.setattr(module, "nearest", counted)
    vectors = np.repeat(CELL[[0, 15]], [200, 3], axis=0)
    labels = np.repeat([0, 1], [200, 3])
    own = np.arange(203)
    answers = first_answers(vectors, labels, vectors, labels, own)
    assert (answers.other_similarity == -1).all()
    # 203 lists of 8 would take more than a search without each of the two classes.
    assert depths == [(203, 1, None), (200, 1, 3), (3, 1, 200)]
