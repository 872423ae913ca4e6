import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.retrieval import metrics


def ranks_of(*relevances):
    """Relevance in ranking order, as 0 and 1, to ranks."""
    relevant = np.array(relevances, dtype=bool)
    descending = -np.broadcast_to(np.arange(relevant.shape[1], dtype=np.float32), relevant.shape)
    return metrics.relevant_ranks(descending, positions_of(relevant), relevant.shape[1])


def positions_of(relevances):
    return [np.flatnonzero(row) for row in relevances]


RANKS = ranks_of([1, 0, 1, 0, 0, 1], [0, 0, 0, 1, 1, 0], [1, 1, 1, 0, 0, 0])


def test_average_precision_of_worked_examples():
    expected = [(1 / 1 + 2 / 3 + 3 / 6) / 3, (1 / 4 + 2 / 5) / 2, 1]
    np.testing.assert_allclose(metrics.average_precision(RANKS), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, [1, 0, 1]),
        (2, [1 / 2, 0, 1]),
        (3, [(1 + 2 / 3) / 3, 0, 1]),
        (4, [(1 + 2 / 3) / 3, (1 / 4) / 2, 1]),
        (9, [(1 + 2 / 3 + 3 / 6) / 3, (1 / 4 + 2 / 5) / 2, 1]),
    ],
)
def test_average_precision_at_divides_by_what_could_be_had(k, expected):
    np.testing.assert_allclose(metrics.average_precision_at(RANKS, k), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (1, [1, 0, 1]),
        (2, [1, 0, 1]),
        (3, [(1 + 2 / 3) / 2, 0, 1]),
        (4, [(1 + 2 / 3) / 2, 1 / 4, 1]),
        (9, [(1 + 2 / 3 + 3 / 6) / 3, (1 / 4 + 2 / 5) / 2, 1]),
    ],
)
def test_average_precision_at_hits_divides_by_the_hits(k, expected):
    np.testing.assert_allclose(metrics.average_precision_at_hits(RANKS, k), expected, rtol=1e-15)


def test_recall_and_precision_of_worked_examples():
    assert metrics.recall_at(RANKS, 1).tolist() == [1, 0, 1]
    assert metrics.recall_at(RANKS, 3).tolist() == [1, 0, 1]
    assert metrics.recall_at(RANKS, 4).tolist() == [1, 1, 1]
    assert metrics.precision_at(RANKS, 1).tolist() == [1, 0, 1]
    assert metrics.precision_at(RANKS, 4).tolist() == [2 / 4, 1 / 4, 3 / 4]
    assert metrics.precision_at(RANKS, 10).tolist() == [3 / 10, 2 / 10, 3 / 10]


def test_a_query_with_nothing_relevant_gets_zero():
    ranks = ranks_of([0, 0, 0], [0, 1, 0])
    assert metrics.average_precision(ranks).tolist() == [0, 1 / 2]
    for measure in (
        metrics.recall_at,
        metrics.precision_at,
        metrics.average_precision_at,
        metrics.average_precision_at_hits,
    ):
        assert measure(ranks, 2)[0] == 0


VALUES = st.sampled_from([-np.inf, -1.0, -0.5, -1e-30, -0.0, 0.0, 1e-30, 0.25, 0.5, 1.0])


@given(st.data())
def test_relevant_ranks_sorts_by_similarity_then_position(data):
    queries, gallery = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 20))
    value = VALUES | st.floats(-1, 1, width=32)

    def table(element):
        row = st.lists(element, min_size=gallery, max_size=gallery)
        return data.draw(st.lists(row, min_size=queries, max_size=queries))

    similarities, relevant = table(value), table(st.booleans())
    width = max(sum(row) for row in relevant) + data.draw(st.integers(0, 2))
    ranks = metrics.relevant_ranks(
        np.array(similarities, dtype=np.float32), positions_of(relevant), width
    )
    assert ranks.shape == (queries, width)
    for i in range(queries):
        order = sorted(range(gallery), key=lambda j, row=similarities[i]: (-np.float32(row[j]), j))
        expected = [place + 1 for place, j in enumerate(order) if relevant[i][j]]
        assert ranks[i].tolist() == expected + [np.inf] * (width - len(expected))
