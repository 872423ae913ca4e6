import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from nfl_keras.losses.class_sizes import class_sizes, has_pairs, has_positives

LABELS = st.lists(st.integers(-2, 3), min_size=1, max_size=9)
BIG = 2**24


@given(LABELS, st.booleans())
def test_class_sizes_by_counting(labels, as_column):
    array = np.array(labels)[:, None] if as_column else np.array(labels)
    ids, sizes = (np.asarray(found) for found in class_sizes(array))
    assert ids.dtype == sizes.dtype == np.int32
    assert sizes.tolist() == [labels.count(label) for label in labels]
    for i, of_i in enumerate(labels):
        assert 0 <= ids[i] < len(labels)
        for j, of_j in enumerate(labels):
            assert (ids[i] == ids[j]) == (of_i == of_j)


@given(LABELS)
def test_has_pairs_by_counting(labels):
    expected = [labels.count(label) > 1 and len(set(labels)) > 1 for label in labels]
    assert np.asarray(has_pairs(np.array(labels))).tolist() == expected


@pytest.mark.parametrize(
    "labels",
    [
        np.array([BIG, BIG + 1, BIG], "int32"),
        np.array([BIG, BIG + 1, BIG], "int64"),
        np.array([2**40, 2**40 + 1, 2**40], "int64"),
        np.array([256, 257, 256], "uint16"),
        np.array([0, 255, 0], "uint8"),
    ],
)
def test_class_ids_are_told_apart_at_any_size(compiled, labels):
    count = compiled(class_sizes)
    for array in (labels, ops.convert_to_tensor(labels)):
        ids, sizes = (np.asarray(found) for found in count(array))
        assert ids[0] == ids[2] != ids[1]
        assert sizes.tolist() == [2, 1, 2]


@given(st.lists(st.integers(-2, 3), min_size=1, max_size=9))
def test_class_mates_by_counting(labels):
    expected = [labels.count(label) > 1 for label in labels]
    assert np.asarray(has_positives(np.array(labels))).tolist() == expected
