import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_catalogs import connected

from nfl_keras.gallery.faults import group_pairs as module
from nfl_keras.gallery.faults.group_pairs import group_pairs


@given(st.data())
def test_groups_are_what_repeated_merging_connects(data):
    count = data.draw(st.integers(2, 20))
    edge = st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)
    edges = data.draw(st.lists(edge, max_size=25))
    weights = [data.draw(st.sampled_from([0.25, 0.5, 1.0])) for _ in edges]
    size = data.draw(st.integers(1, 8))
    blocks = [
        (
            np.array([i for i, _ in edges[start : start + size]]),
            np.array([j for _, j in edges[start : start + size]]),
            np.array(weights[start : start + size], "float32"),
        )
        for start in range(0, len(edges), size)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MERGED", data.draw(st.integers(1, 12)))
        groups, closest = group_pairs(iter(blocks), count)
    assert [group.tolist() for group in groups] == connected(edges)
    for position in range(count):
        of = [w for w, edge in zip(weights, edges, strict=True) if position in edge]
        assert closest[position] == max(of, default=-np.inf)


def test_a_block_without_pairs_changes_nothing():
    nothing = np.array([], int), np.array([], int), np.array([], "float32")
    groups, closest = group_pairs([nothing], 3)
    assert groups == []
    assert np.isneginf(closest).all()
