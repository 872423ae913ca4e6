"""Defines conditions on the metadata of a gallery."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset

from nfl_keras.errors import UserError

Where: TypeAlias = str | Sequence[str] | pc.Expression

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_CONDITION = re.compile(r"\s*(.+?)\s*(!=|<=|>=|=|<|>)=?\s*(.*?)\s*", re.DOTALL)
_MOST = 64  # conditions, and values of one


def allowed_by(where: Where, items: pa.Table) -> np.ndarray:
    """Finds the items that fulfill conditions.

    Args:
        where: str such as `"year >= 1990"`, `"label = rose"` or `"label = rose, tulip"` (one of
            these), with `=`, `!=`, `<`, `<=`, `>` and `>=`; a sequence of such, all of which must
            hold; or a `pyarrow.compute.Expression`. Text is compared as it is, without quotes.
        items: `pyarrow.Table`.

    Returns:
        bool `[N]`. An item that lacks a value fulfills no condition on it.

    Raises:
        UserError: if a condition cannot be understood, or there is no such column.

    Example:

    >>> import pyarrow as pa
    >>> from nfl_keras.gallery.where import allowed_by
    >>> items = pa.table({"label": ["rose", "tulip"], "year": [1989, 1990]})
    >>> allowed_by(["year >= 1989", "label = rose"], items)
    array([ True, False])
    """
    if isinstance(where, pc.Expression):
        return _of_expression(where, items)
    allowed = np.ones(len(items), bool)
    for condition in conditions_of(where, items.schema):
        allowed &= _fulfilled(condition, items[condition.column])
    return allowed


@dataclasses.dataclass(frozen=True)
class Condition:
    """One condition on a column.

    Args:
        column: str.
        operator: `"="`, `"!="`, `"<"`, `"<="`, `">"` or `">="`.
        values: `pyarrow.Array` of the column's type: one value; or several, of which it must be
            one (`"="`) or none (`"!="`).
    """

    column: str
    operator: str
    values: pa.Array


def conditions_of(where: str | Sequence[str], schema: pa.Schema) -> list[Condition]:
    """Parses conditions, see `allowed_by`.

    Args:
        where: str, or sequence of str.
        schema: `pyarrow.Schema` of the columns.

    Returns:
        List of `Condition`, all of which must hold.

    Raises:
        UserError: if one cannot be understood, or there is no such column.

    Example:

    >>> import pyarrow as pa
    >>> from nfl_keras.gallery.where import conditions_of
    >>> conditions_of("year >= 1990", pa.schema({"year": pa.int64()}))[0].values.to_pylist()
    [1990]
    """
    conditions = [where] if isinstance(where, str) else list(where)
    if len(conditions) > _MOST:
        raise UserError(f"there are {len(conditions)} conditions; give at most {_MOST}.")
    return [_parsed(condition, schema) for condition in conditions]


def _of_expression(where: pc.Expression, items: pa.Table) -> np.ndarray:
    try:
        found = pyarrow.dataset.dataset(items).to_table(columns={"allowed": where})["allowed"]
        return pc.fill_null(found.cast(pa.bool_()), False).to_numpy()
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the condition {where} cannot be used ({reason}).") from error


def _parsed(condition: str, schema: pa.Schema) -> Condition:
    parsed = _CONDITION.fullmatch(condition)
    if parsed is None:
        raise UserError(
            f"the condition {condition!r} cannot be understood; write it as COLUMN OPERATOR VALUE, "
            f"such as 'label = rose', with one of {', '.join(_COMPARISONS)}."
        )
    name, operator, text = parsed.groups()
    if name not in schema.names:
        raise UserError(
            f"there is no column {name!r} in the condition {condition!r}; the columns are "
            f"{', '.join(schema.names)}."
        )
    kind = schema.field(name).type
    several = [value.strip() for value in text.split(",")][:_MOST]
    if operator not in ("=", "!=") or len(several) == 1:
        several = [text]
    values = pa.concat_arrays([_value(value, kind, condition) for value in several])
    return Condition(name, operator, values)


def _fulfilled(condition: Condition, column: pa.ChunkedArray) -> np.ndarray:
    if len(condition.values) > 1:
        found = pc.is_in(column, condition.values)
        found = found if condition.operator == "=" else pc.invert(found)
        found = pc.and_(found, pc.is_valid(column))
    else:
        found = _COMPARISONS[condition.operator](column, condition.values[0])
    return pc.fill_null(found, False).to_numpy()


def _value(text: str, kind: pa.DataType, condition: str) -> pa.Array:
    try:
        return pa.array([text], pa.string()).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            f"the condition {condition!r} cannot be used: {text!r} is no {kind}, as the "
            f"column holds."
        ) from error
