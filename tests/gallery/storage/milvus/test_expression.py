"""Conditions mean to Milvus what they mean to a folder, whatever stands in them."""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.milvus.address import parse_address
from nfl_keras.gallery.storage.milvus.columns import Columns
from nfl_keras.gallery.storage.milvus.connection import Connection
from nfl_keras.gallery.storage.milvus.expression import expression
from nfl_keras.gallery.storage.milvus.rows import Rows
from nfl_keras.gallery.where import allowed_by

TEXTS = ["rose", "Rose", "", 'a" or c_year > 0 or c_id == "', "back\\slash", "é", "{v}", "%", None]
ITEMS = pa.table(
    {
        "id": [str(number) for number in range(9)],
        "label": TEXTS,
        "year": [0, 1, -1, None, 1990, 2**62, -(2**62), 7, 1],
        "price": pa.array([0.5, None, -1e-7, 1e300, 2.0, 3.0, 0.1, 0.30000001, 7.0]),
        "single": pa.array([0.1, 0.2, 0.3, None, 1, 2, 3, 4, 5], pa.float32()),
        "sold": [True, False, None] * 3,
        "day": [datetime.date(2000 + n, 1, 1) for n in range(8)] + [None],
        "or": list("abcabcabc"),
    }
)


LETTERS = st.one_of(
    st.sampled_from("\"'\\\n\r\t{}%,\x7f"), st.characters(exclude_categories=["Cc", "Cs"])
)


@pytest.fixture(scope="module")
def rows(milvus):
    address = parse_address(milvus("conditions"))
    made = Rows(Connection(address), "conditions", Columns(ITEMS.schema), 2)
    made.create()
    made.load()
    made.insert(ITEMS, np.ones((9, 2), "float32"), np.arange(9), first=0, born=1)
    return made


def found(rows, where):
    numbers, _ = rows.read(expression(where, rows.columns), len(ITEMS))
    return np.isin(np.arange(len(ITEMS)), numbers).tolist()


@pytest.mark.parametrize(
    "where",
    [
        "label = rose",
        "label != rose",
        "label = rose, é",
        "label != rose, é",
        "label <= Rose",
        'label = a" or c_year > 0 or c_id == "',
        "label = back\\slash",
        "label = {v}",
        "label = ",
        "year >= 0",
        "year != 1",
        "year != 1, 7",
        f"year = {2**62}",
        f"year < {-(2**61)}",
        "price > 0.3",
        "price = 0.30000001",
        "price >= -1e-7",
        "single = 0.1",
        "single < 0.3",
        "sold = true",
        "sold != true",
        "day = 2003-01-01",
        "or = a",
        ["year > 0", "label != rose", "price < 1e9"],
        [],
    ],
)
def test_a_condition_finds_what_it_finds_in_a_folder(rows, where):
    expected = allowed_by(where, ITEMS).tolist()
    if where:
        assert found(rows, where) == expected
    else:
        assert expression(where, rows.columns) == ""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(LETTERS, max_size=8), operator=st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
)
def test_no_text_leads_out_of_its_condition(rows, text, operator):
    where = f"label {operator} {text}"
    assert found(rows, where) == allowed_by(where, ITEMS).tolist()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (pc.field("year") > 0, "a pyarrow Expression cannot be sent to Milvus"),
        ("day < 2003-01-01", "by = and != alone in Milvus, which keeps date32"),
        ("sold < true", "by = and != alone"),
        ("price > inf", "compares with inf"),
        ("none = 1", "there is no column 'none'"),
        ("label = a\x01", "holds a control character"),
    ],
)
def test_what_cannot_be_said_is_refused(rows, where, message):
    with pytest.raises(UserError, match=message):
        expression(where, rows.columns)
