"""What Milvus keeps of a column comes back as it was, or is refused."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.milvus.columns import Columns

KEPT = {
    "id": pa.array(["a", 'é"\\', ""]),
    "year": pa.array([1990, None, -(2**63)], pa.int64()),
    "small": pa.array([1, 255, None], pa.uint8()),
    "share": pa.array([0.1, None, 1e-300]),
    "half": pa.array(np.array([0.1, 2, 3], np.float16)),
    "sold": pa.array([True, None, False]),
    "sha256": pa.array([bytes(range(32)), None, bytes(32)], pa.binary(32)),
    "day": pa.array([datetime.date(1999, 12, 31), None, datetime.date(1, 1, 1)]),
    "seen": pa.array([0, 1, None], pa.timestamp("ns", "UTC")),
    "kind": pa.array(["x", None, "x"]).dictionary_encode(),
    "nothing": pa.nulls(3),
    "name with spaces": pa.array(["1", "2", "3"]),
}


def test_each_type_comes_back():
    items = pa.table(KEPT)
    columns = Columns(items.schema)
    assert len(set(columns.fields.values())) == len(KEPT)
    rows = columns.to_rows(items)
    assert columns.to_table(rows).equals(items)
    assert columns.to_table([]).schema == items.schema


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([2**63], pa.uint64()), "cannot keep the type uint64 of the column 'odd'"),
        (pa.array([[1, 2]]), "cannot keep the type list"),
        (pa.array([float("nan")]), "holds NaN or infinity"),
        (pa.array(["é" * 32768]), "a text of more than 65,535 bytes"),
    ],
)
def test_what_milvus_does_not_keep_is_refused(column, message):
    items = pa.table({"odd": column})
    with pytest.raises(UserError, match=message):
        Columns(items.schema).to_rows(items)
