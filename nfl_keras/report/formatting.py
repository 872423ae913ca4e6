"""Text for the numbers and settings on a page."""

import json
import math
import numbers
import os
from collections.abc import Mapping
from typing import Any

UNKNOWN = "—"


def value(number: Any) -> str:
    """Formats a fraction as a percentage, and a count with thousands separators.

    Args:
        number: float in 0..1, int, str (returned as it is), or None or NaN if unknown.

    Returns:
        str.
    """
    if number is None or (isinstance(number, numbers.Real) and math.isnan(number)):
        return UNKNOWN
    if isinstance(number, numbers.Integral):
        return f"{int(number):,}"
    return f"{100 * float(number):.2f}%" if isinstance(number, numbers.Real) else str(number)


def change(before: Any, after: Any) -> str:
    """Formats the difference of two fractions in percentage points; `""` for other values."""
    if not _is_fraction(before) or not _is_fraction(after):
        return ""
    points = round(100 * (float(after) - float(before)), 2)
    sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
    return f"{sign}{abs(points):.2f}"


def mean_and_deviation(mean: Any, deviation: Any) -> str:
    """Formats `"82.35 ± 1.20%"`, or the mean alone if there is no deviation."""
    if not _is_fraction(mean) or not _is_fraction(deviation):
        return value(mean)
    return f"{100 * float(mean):.2f} ± {100 * float(deviation):.2f}%"


def settings(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Lists nested settings as pairs of a dotted name and the value's text."""
    listed = []
    for key, setting in config.items():
        if isinstance(setting, Mapping) and setting:
            listed += settings(setting, f"{prefix}{key}.")
        else:
            is_text = isinstance(setting, str | os.PathLike)
            text = str(setting) if is_text else json.dumps(setting, default=str)
            listed.append((f"{prefix}{key}", text))
    return listed


def _is_fraction(number: Any) -> bool:
    return (
        isinstance(number, numbers.Real)
        and not isinstance(number, numbers.Integral)
        and math.isfinite(number)
    )
