import operator

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.gallery.where import allowed_by

OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
WORDS = ["ash", "beech", "old elm", "a=b"]
ITEMS = pa.table(
    {
        "label": ["ash", "beech", None, "old elm", "a=b"],
        "year": pa.array([1990, None, 2000, 2010, -1], pa.int64()),
        "price": [1.5, 2.0, None, 0.0, 3.25],
        "sold": [True, False, True, None, False],
    }
)


@given(st.sampled_from(list(OPERATORS)), st.sampled_from(["label", "year", "price"]), st.data())
def test_a_condition_is_that_of_python_and_false_without_a_value(sign, column, data):
    values = {"label": WORDS, "year": [-1, 1990, 2005], "price": [0.0, 1.5, 9.0]}[column]
    value = data.draw(st.sampled_from(values))
    space = data.draw(st.sampled_from(["", " "]))
    found = allowed_by(f"{column}{space}{sign}{space}{value}", ITEMS)
    expected = [x is not None and OPERATORS[sign](x, value) for x in ITEMS[column].to_pylist()]
    assert found.tolist() == expected


def test_several_values_and_several_conditions():
    assert allowed_by("label = ash, a=b", ITEMS).tolist() == [True, False, False, False, True]
    assert allowed_by("label != ash, a=b", ITEMS).tolist() == [False, True, False, True, False]
    assert allowed_by(["year > 0", "sold = true"], ITEMS).tolist() == [1, 0, 1, 0, 0]
    assert allowed_by([], ITEMS).all()
    expression = (pc.field("year") > 1995) | (pc.field("label") == "ash")
    assert allowed_by(expression, ITEMS).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("rose", "write it as COLUMN OPERATOR VALUE"),
        ("color = red", "there is no column 'color' .* the columns are label, year, price, sold"),
        ("year > often", "'often' is no int64, as the column holds"),
        (pc.field("color") == "red", "cannot be used"),
        (["year > 1"] * 65, "there are 65 conditions; give at most 64"),
    ],
)
def test_what_cannot_be_understood_is_said_in_one_line(where, message):
    with pytest.raises(UserError, match=message) as refused:
        allowed_by(where, ITEMS)
    assert "\n" not in str(refused.value)
