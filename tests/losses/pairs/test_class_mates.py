import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.losses.pairs.class_mates import ClassMates
from nfl_keras.losses.pairs.over_class_mates import over_class_mates


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(0, 30))
def test_offsets_go_around_each_class_in_the_order_of_the_batch(labels, offset):
    mates = ClassMates.of(ops.convert_to_tensor(labels))
    found = ops.convert_to_numpy(mates.at(offset)).tolist()
    for i, label in enumerate(labels):
        ring = [j for j, other in enumerate(labels) if other == label]
        assert int(mates.number[i]) == ring.index(i)
        assert int(mates.sizes[i]) == len(ring)
        assert found[i] == ring[(ring.index(i) + offset) % len(ring)]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_every_positive_is_visited_once(labels):
    def visit(is_mate, visited):
        return (visited + ops.cast(is_mate, "int32"),)

    start = ops.zeros((len(labels), len(labels)), "int32")
    [visited] = over_class_mates(visit, (start,), ops.convert_to_tensor(labels))
    labels = np.array(labels)
    expected = np.equal.outer(labels, labels) & ~np.eye(len(labels), dtype=bool)
    np.testing.assert_array_equal(visited, expected)
