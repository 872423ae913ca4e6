"""Defines conditions on the metadata of a gallery."""

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
    conditions = [where] if isinstance(where, str) else list(where)
    if len(conditions) > _MOST:
        raise UserError(f"there are {len(conditions)} conditions; give at most {_MOST}.")
    allowed = np.ones(len(items), bool)
    for condition in conditions:
        allowed &= _of_condition(condition, items)
    return allowed


def _of_expression(where: pc.Expression, items: pa.Table) -> np.ndarray:
    try:
        found = pyarrow.dataset.dataset(items).to_table(columns={"allowed": where})["allowed"]
        return pc.fill_null(found.cast(pa.bool_()), False).to_numpy()
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the condition {where} cannot be used ({reason}).") from error


def _of_condition(condition: str, items: pa.Table) -> np.ndarray:
    parsed = _CONDITION.fullmatch(condition)
    if parsed is None:
        raise UserError(
            f"the condition {condition!r} cannot be understood; write it as COLUMN OPERATOR VALUE, "
            f"such as 'label = rose', with one of {', '.join(_COMPARISONS)}."
        )
    name, operator, text = parsed.groups()
    if name not in items.column_names:
        raise UserError(
            f"there is no column {name!r} in the condition {condition!r}; the columns are "
            f"{', '.join(items.column_names)}."
        )
    column = items[name]
    several = [value.strip() for value in text.split(",")][:_MOST]
    if operator in ("=", "!=") and len(several) > 1:
        values = pa.concat_arrays([_value(value, column, condition) for value in several])
        found = pc.is_in(column, values)
        found = found if operator == "=" else pc.invert(found)
        found = pc.and_(found, pc.is_valid(column))
    else:
        found = _COMPARISONS[operator](column, _value(text, column, condition)[0])
    return pc.fill_null(found, False).to_numpy()


def _value(text: str, column: pa.ChunkedArray, condition: str) -> pa.Array:
    try:
        return pa.array([text], pa.string()).cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            f"the condition {condition!r} cannot be used: {text!r} is no {column.type}, as the "
            f"column holds."
        ) from error
