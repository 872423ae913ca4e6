"""Defines what a page that compares methods shows."""

import dataclasses
from collections.abc import Mapping, Sequence

from nfl_keras.report.draw_curves import Panel


@dataclasses.dataclass(frozen=True)
class ComparedRow:
    """A method beside what was published of it.

    Args:
        name: str.
        published: mapping of columns to published figures, in 0..1. Defaults to none.
        mean: mapping of columns to means of measured figures, in 0..1. Defaults to none.
        deviation: mapping of columns to their standard deviations. Defaults to none.
        runs: int, the runs that the means are over. Defaults to `0`.
        seconds: float, of one run. Defaults to `None`, unknown.
        note: str, such as what a run chose, or why there is none. Defaults to `""`.
    """

    name: str
    published: Mapping[str, float] = dataclasses.field(default_factory=dict)
    mean: Mapping[str, float] = dataclasses.field(default_factory=dict)
    deviation: Mapping[str, float] = dataclasses.field(default_factory=dict)
    runs: int = 0
    seconds: float | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Methods on one dataset.

    Args:
        heading: str, such as the dataset's name.
        summary: str, how it was measured.
        columns: sequence of str, the figures.
        rows: sequence of `ComparedRow`.
        notes: sequence of str, sentences below the table. Defaults to none.
        panels: sequence of `Panel`. Defaults to none.
    """

    heading: str
    summary: str
    columns: Sequence[str]
    rows: Sequence[ComparedRow]
    notes: Sequence[str] = ()
    panels: Sequence[Panel] = ()

    def is_published(self, column: str) -> bool:
        """Tells whether any row has a published figure in a column."""
        return any(column in row.published for row in self.rows)

    def best(self, column: str) -> float | None:
        """Returns the highest mean of a column, or `None` if there is none."""
        return max((row.mean[column] for row in self.rows if column in row.mean), default=None)
