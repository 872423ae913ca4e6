"""Defines how the columns of a gallery are kept in fields of Milvus."""

import math
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError

MOST_BYTES = 65_535  # of a text


class Columns:
    """The columns of a gallery's items, each kept in a field of Milvus.

    Integers, floats, booleans and texts are kept as such, bytes in hexadecimal. Any other type is
    kept as the text that Arrow writes, if Arrow reads it again.

    Args:
        schema: `pyarrow.Schema` of the items.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.fields = {name: _field(name, place) for place, name in enumerate(schema.names)}

    def kind(self, name: str) -> str:
        """Returns the `pymilvus.DataType` of a column's field, as a str."""
        return _kind(self.schema.field(name).type)

    def to_rows(self, items: pa.Table) -> list[dict[str, Any]]:
        """Returns a dict from fields to values for each item.

        Raises:
            UserError: if Milvus cannot keep a value.
        """
        fields = [_values(items[name], name) for name in self.schema.names]
        names = self.fields.values()
        return [dict(zip(names, row, strict=True)) for row in zip(*fields, strict=True)]

    def to_table(self, rows: Sequence[dict[str, Any]]) -> pa.Table:
        """Returns the `pyarrow.Table` that `to_rows` was given."""
        columns = {}
        for column in self.schema:
            values = [row.get(self.fields[column.name]) for row in rows]
            columns[column.name] = _array(values, column.type)
        return pa.table(columns, schema=self.schema)


def to_text(array: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Returns the texts as which values of other types are kept.

    Raises:
        pa.ArrowException: if there is no text of them.
    """
    if pa.types.is_binary(array.type) or pa.types.is_fixed_size_binary(array.type):
        return pa.array(
            [None if value is None else value.hex() for value in array.to_pylist()], pa.string()
        )
    return pc.cast(array, pa.string())


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "BOOL"
    if pa.types.is_integer(kind):
        return "INT64"
    return "DOUBLE" if pa.types.is_floating(kind) else "VARCHAR"


def _field(name: str, place: int) -> str:
    # The prefix keeps a column's name apart from the words of Milvus' language.
    return f"c_{name}" if re.fullmatch("[A-Za-z0-9_]{1,100}", name) else f"column{place}"


def _values(column: pa.ChunkedArray, name: str) -> list[Any]:
    kind = _kind(column.type)
    try:
        kept = to_text(column) if kind == "VARCHAR" else column
        kept = kept.cast(pa.int64()) if kind == "INT64" else kept
        values: list[Any] = kept.to_pylist()
        same = _array(values, column.type).equals(column.combine_chunks())
    except pa.ArrowException:
        values, same = [], False
    if kind == "DOUBLE" and not all(v is None or math.isfinite(v) for v in values):
        raise UserError(f"the column {name!r} holds NaN or infinity; Milvus keeps neither.")
    if not same:
        raise UserError(f"Milvus cannot keep the type {column.type} of the column {name!r}.")
    if kind == "VARCHAR" and any(v is not None and len(v.encode()) > MOST_BYTES for v in values):
        raise UserError(f"the column {name!r} holds a text of more than {MOST_BYTES:,} bytes.")
    return values


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_null(kind):
        return pa.nulls(len(values))
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if v is None else bytes.fromhex(v) for v in values], kind)
    if _kind(kind) == "VARCHAR" and not pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)
