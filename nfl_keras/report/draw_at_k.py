"""Curves of a figure at several k."""

from collections.abc import Mapping

import numpy as np

from nfl_keras.report.draw_curves import Panel
from nfl_keras.report.draw_lines import draw_lines


def draw_at_k(rows: Mapping[str, Mapping[int, float]], name: str) -> Panel:
    """Draws a figure at several k, such as Recall@k, one line for each row.

    Args:
        rows: mapping of a row's name to its figures by k, the same k for all.
        name: str, such as `"Recall"`.

    Returns:
        A `Panel`.

    Example:

    >>> from nfl_keras.report import draw_at_k
    >>> draw_at_k({"triplet": {1: 0.4, 2: 0.5}}, "Recall").heading
    'Recall@k'
    """
    ks = np.array(sorted(next(iter(rows.values()))), np.float64)
    series = {row: np.array([values[int(k)] for k in ks]) for row, values in rows.items()}
    svg = draw_lines("metrics", ks, series, {}, None, axis="k")
    return Panel(f"{name}@k", "Means over the runs.", svg)
