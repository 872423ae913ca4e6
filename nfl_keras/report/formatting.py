"""Numbers and settings as a reader wants to see them."""

import json
import math
import numbers
import os
from collections.abc import Mapping

NOTHING = "—"


def value(number):
    """A fraction as a percentage, a count with thousands marked, a string as it stands.

    Args:
        number: float in 0..1, int, str, or None and NaN for what is not known.

    Returns:
        str.
    """
    if number is None or (isinstance(number, numbers.Real) and math.isnan(number)):
        return NOTHING
    if isinstance(number, numbers.Integral):
        return f"{int(number):,}"
    return f"{100 * float(number):.2f}%" if isinstance(number, numbers.Real) else str(number)


def change(before, after):
    """The difference of two fractions in percentage points, signed; empty for all else."""
    if not _is_fraction(before) or not _is_fraction(after):
        return ""
    points = round(100 * (float(after) - float(before)), 2)
    sign = "+" if points > 0 else "\N{MINUS SIGN}" if points < 0 else ""
    return f"{sign}{abs(points):.2f}"


def mean_and_deviation(mean, deviation):
    """`"82.35 ± 1.20%"`; the mean alone where there is no deviation."""
    if not _is_fraction(mean) or not _is_fraction(deviation):
        return value(mean)
    return f"{100 * float(mean):.2f} ± {100 * float(deviation):.2f}%"


def settings(config, prefix=""):
    """Nested settings as a flat list of (dotted name, value in words)."""
    listed = []
    for key, setting in config.items():
        if isinstance(setting, Mapping) and setting:
            listed += settings(setting, f"{prefix}{key}.")
        else:
            named = isinstance(setting, str | os.PathLike)
            plain = str(setting) if named else json.dumps(setting, default=str)
            listed.append((f"{prefix}{key}", plain))
    return listed


def _is_fraction(number):
    return (
        isinstance(number, numbers.Real)
        and not isinstance(number, numbers.Integral)
        and math.isfinite(number)
    )
