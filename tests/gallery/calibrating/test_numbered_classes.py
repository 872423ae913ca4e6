import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.calibrating.numbered_classes import numbered_classes


@pytest.mark.parametrize("dtype", [object, "U", "T"])
def test_strings_of_any_kind_are_numbered_in_their_order(dtype):
    queries = np.array(["oak", "ash"], dtype=np.dtypes.StringDType() if dtype == "T" else dtype)
    names, of_query, of_gallery = numbered_classes(queries, 2, ["elm", "oak", "elm"], 3)
    assert list(names) == ["ash", "elm", "oak"]
    assert of_query.tolist() == [2, 0]
    assert of_gallery.tolist() == [1, 2, 1]


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0, 1, 2], r"query_labels has shape \[3\] for 2 embeddings"),
        ([0.0, 1.0], "query_labels must be integers or strings, not float64"),
        ([None, "ash"], "query_labels must be integers or strings, not object"),
        (["ash", "elm"], "must both be integers or both strings"),
    ],
)
def test_other_labels_are_refused(labels, reason):
    with pytest.raises(UserError, match=reason):
        numbered_classes(labels, 2, [0, 1, 2], 3)
