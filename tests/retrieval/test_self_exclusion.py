import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.self_exclusion import mask_own, own_positions


@pytest.mark.parametrize(
    ("query_ids", "gallery_ids"),
    [
        (["c", "a", "x", "c"], ["a", "b", "c"]),
        ([2**62 + 1, 5, -1, 2**62 + 1], [5, 2**62, 2**62 + 1]),
        (np.array(["c", "a", "x", "c"], dtype=object), np.array(["a", "b", "c"])),
        (np.array([7, 3, 0, 7], dtype=np.uint8), np.array([3, 5, 7], dtype=np.int64)),
    ],
)
def test_own_photograph_is_found_by_id(query_ids, gallery_ids):
    assert own_positions(query_ids, gallery_ids, 4, 3).tolist() == [2, 0, -1, 2]


def test_no_ids_leave_nothing_out():
    assert own_positions(None, None, 3, 2).tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("query_ids", "gallery_ids", "message"),
    [
        ([1, 2], None, "gallery_ids is missing"),
        (None, [1, 2], "query_ids is missing"),
        ([1, 2, 3], [1, 2], r"query_ids has shape \[3\] for 2 embeddings"),
        ([1, 2], [[1, 2]], r"gallery_ids has shape \[1, 2\] for 2 embeddings"),
        ([1.0, 2.0], [1, 2], "query_ids must be integers or strings, not float64"),
        (["1", "2"], [1, 2], "must both be integers or both be strings"),
        ([1, 2], [2, 2], "the id 2 is given to two gallery items"),
        (["a", "b"], ["b", "b"], "the id 'b' is given to two gallery items"),
    ],
)
def test_unusable_ids_are_named(query_ids, gallery_ids, message):
    with pytest.raises(UserError, match=message):
        own_positions(query_ids, gallery_ids, 2, 2)


def test_mask_own_writes_only_own_places():
    matrix = np.zeros((3, 4))
    mask_own(matrix, np.array([2, -1, 0]), 9)
    assert matrix.tolist() == [[0, 0, 9, 0], [0, 0, 0, 0], [9, 0, 0, 0]]
