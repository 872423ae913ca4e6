import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import integer_labels, unit_vectors


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_any_integers_become_int64(dtype):
    labels = integer_labels(np.array([3, 0, 100], dtype), 3, "labels")
    assert labels.dtype == np.int64
    assert labels.tolist() == [3, 0, 100]


def test_labels_beyond_float32_stay_apart():
    labels = [2**24, 2**24 + 1, -(2**62)]
    assert integer_labels(labels, 3, "labels").tolist() == labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 2], r"query_labels has shape \[2\] for 3 embeddings"),
        ([[1, 2, 3]], r"query_labels has shape \[1, 3\] for 3 embeddings"),
        (1, r"query_labels has shape \[\] for 3 embeddings"),
        ([1.0, 2.0, 3.0], "query_labels must be integers, not float64"),
        (["a", "b", "c"], "query_labels must be integers, not <U1"),
        ([True, False, True], "query_labels must be integers, not bool"),
        (np.full(3, 2**63, np.uint64), "has 9223372036854775808, beyond 64-bit"),
    ],
)
def test_unusable_labels_are_named(labels, message):
    with pytest.raises(UserError, match=message):
        integer_labels(labels, 3, "query_labels")


def test_the_message_says_what_they_are_labels_of():
    with pytest.raises(UserError, match=r"labels has shape \[1\] for 1,200 rows of scores"):
        integer_labels([1], 1200, "labels", of="rows of scores")


def test_other_float_types_become_float32():
    vectors = np.random.default_rng(4).standard_normal((5, 64))
    vectors = np.float32(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    for dtype in (np.float16, np.float32, np.float64):
        checked = unit_vectors(vectors.astype(dtype), "query")
        assert checked.dtype == np.float32
        assert checked.flags.c_contiguous
        np.testing.assert_allclose(checked, vectors, atol=1e-3)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1.0, 0.0], r"query embeddings must be floats of shape \[N, D\], not float64 of shape"),
        ([[1, 0]], "must be floats .* not int64"),
        (np.zeros((0, 4)), r"query embeddings of shape \[0, 4\] are empty"),
        ([[1.0, 0.0], [np.nan, 1.0]], "row 1 of the query embeddings has NaN or infinity"),
        ([[1.0, 0.0], [0.0, -np.inf]], "row 1 of the query embeddings has NaN or infinity"),
        ([[1.0, 0.0], [3.0, 4.0]], "row 1 of the query embeddings has norm 5, not 1: divide"),
        ([[1e300, 0.0]], "row 0 of the query embeddings has norm inf"),
        ([[0.0, 0.0]], "row 0 of the query embeddings has norm 0"),
    ],
)
def test_unusable_vectors_are_named(vectors, message):
    with pytest.raises(UserError, match=message):
        unit_vectors(vectors, "query")


def test_dimensions_must_agree():
    with pytest.raises(UserError, match="gallery embeddings have 2 dimensions and the query's 3"):
        unit_vectors([[1.0, 0.0]], "gallery", dimension=3)
