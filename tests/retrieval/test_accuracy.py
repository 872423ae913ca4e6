import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.accuracy import accuracy


def test_accuracy_is_the_share_that_a_loop_counts():
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(4), 50), rng.integers(0, 4, 50)
    right = 0
    for row, label in zip(probabilities.tolist(), labels.tolist(), strict=True):
        right += row.index(max(row)) == label
    assert 0 < right < 50
    for dtype in (np.float16, np.float32, np.float64):
        assert accuracy(probabilities.astype(dtype), labels) == pytest.approx(right / 50, abs=1e-12)


def test_of_equal_probabilities_the_first_counts():
    probabilities = [[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]]
    assert accuracy(probabilities, [0, 1]) == 1
    assert accuracy(probabilities, [1, 2]) == 0
    assert accuracy(probabilities, np.array([0, 2], np.uint8)) == 0.5


def test_columns_stand_for_the_labels_of_the_classifier():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])
    assert accuracy(probabilities, [3, 9, 3], [3, 5, 9]) == pytest.approx(2 / 3)
    with pytest.raises(UserError, match=r"has 3 classes \(3 to 9\) and not the label 4: number"):
        accuracy(probabilities, [3, 4, 9], [3, 5, 9])
    with pytest.raises(UserError, match=r"class_labels has shape \[2\] for 3 columns"):
        accuracy(probabilities, [3, 9, 3], [3, 5])


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        ([[1, 0]], [0], r"must be floats of shape \[N, K\], not int64 of shape \[1, 2\]"),
        ([0.5, 0.5], [0, 1], r"must be floats of shape \[N, K\], not float64 of shape \[2\]"),
        (np.zeros((0, 3)), [], r"probabilities of shape \[0, 3\] are empty"),
        ([[1.0, 0.0], [np.nan, 0.0]], [0, 1], "row 1 of the probabilities has NaN or infinity"),
        ([[1.0, 0.0]], [0, 1], r"labels has shape \[2\] for 1 rows of probabilities"),
        ([[1.0, 0.0]], [0.0], "labels must be integers, not float64"),
        ([[1.0, 0.0]], [2], r"labels run from 2 to 2, but the classifier has 2 classes \(0 to 1\)"),
        ([[1.0, 0.0]], [-1], "labels run from -1 to -1"),
    ],
)
def test_what_cannot_be_compared_is_refused(probabilities, labels, message):
    with pytest.raises(UserError, match=message):
        accuracy(probabilities, labels)
