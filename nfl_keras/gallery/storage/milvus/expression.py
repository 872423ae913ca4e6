"""Defines how conditions are said in Milvus' language."""

import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.milvus.columns import Columns, to_text
from nfl_keras.gallery.where import Condition, Where, conditions_of


def expression(where: Where | None, columns: Columns) -> str:
    """Writes conditions in Milvus' language, with the meaning that `allowed_by` gives them.

    Args:
        where: conditions, see `nfl_keras.gallery.where`.
        columns: `Columns`.

    Returns:
        The str, `""` without conditions.

    Raises:
        UserError: if a condition cannot be said so.

    Example:

    >>> import pyarrow as pa
    >>> from nfl_keras.gallery.storage.milvus.columns import Columns
    >>> from nfl_keras.gallery.storage.milvus.expression import expression
    >>> columns = Columns(pa.schema({"label": pa.string(), "year": pa.int64()}))
    >>> expression(["label = rose", "year > 1990"], columns)
    '(c_label is not null and c_label == "rose") and (c_year is not null and c_year > 1990)'
    """
    if where is None:
        return ""
    if isinstance(where, pc.Expression):
        raise UserError(
            "a pyarrow Expression cannot be sent to Milvus; give conditions as texts, such as "
            "'year >= 1990'."
        )
    return " and ".join(_said(each, columns) for each in conditions_of(where, columns.schema))


def text_literal(text: str) -> str:
    """Writes a text as Milvus reads it.

    Raises:
        UserError: if it holds a control character that Milvus' language has no sign for.
    """
    if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in text):
        raise UserError(f"{text!r} holds a control character, which cannot be sent to Milvus.")
    # JSON's signs for the quote, the backslash and these three characters are Milvus', too.
    return json.dumps(text, ensure_ascii=False)


def _said(condition: Condition, columns: Columns) -> str:
    field, kind = columns.fields[condition.column], columns.kind(condition.column)
    is_text = columns.schema.field(condition.column).type in (pa.string(), pa.large_string())
    ordered = kind in ("INT64", "DOUBLE") or is_text
    if condition.operator not in ("=", "!=") and not ordered:
        raise UserError(
            f"the column {condition.column!r} can be compared by = and != alone in Milvus, which "
            f"keeps {columns.schema.field(condition.column).type} without an order."
        )
    values = condition.values if kind != "VARCHAR" else to_text(condition.values)
    literals = [_literal(value) for value in values.to_pylist()]
    if len(literals) > 1:
        told = f"{field} {'in' if condition.operator == '=' else 'not in'} [{', '.join(literals)}]"
    else:
        sign = "==" if condition.operator == "=" else condition.operator
        told = f"{field} {sign} {literals[0]}"
    return f"({field} is not null and {told})"


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"a condition compares with {value}; give a finite number.")
    return json.dumps(value)
