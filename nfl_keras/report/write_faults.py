"""The page about the faults of a catalog."""

import pathlib
from collections.abc import Iterable, Sequence

from nfl_keras.files import write_whole
from nfl_keras.report.fault_rows import FaultSection, draw_fault
from nfl_keras.report.render_page import render_page
from nfl_keras.report.tile import aspect_ratio
from nfl_keras.typing import Path


def write_faults(
    path: Path,
    *,
    title: str,
    summary: str,
    sections: Iterable[FaultSection],
    notes: Sequence[str] = (),
) -> pathlib.Path:
    """Writes the page about the faults of a catalog as one HTML file that loads no other.

    All text is escaped. The photographs of one row are in memory at a time, and small copies of
    all rows: 100 rows of six take about 4 MB.

    Args:
        path: str or path of the file. It is replaced in one step.
        title: str. The headline.
        summary: str. What was looked at, in one sentence.
        sections: iterable of `FaultSection`, one for each kind of fault.
        notes: sequence of str. Sentences below the summary. Defaults to none.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.report import FaultPhotograph, FaultRow, FaultSection, write_faults
    >>> def photograph(name):
    ...     return FaultPhotograph(lambda: open(name, "rb").read(), name, class_name="ash")
    >>> row = FaultRow([photograph("photographs/ash/0.jpg"), photograph("photographs/ash/1.jpg")])
    >>> path = write_faults(
    ...     "faults.html",
    ...     title="Trees",
    ...     summary="20 photographs.",
    ...     sections=[FaultSection("Duplicates", "One pair.", "", rows=[row], num_rows=1)],
    ... )
    >>> path.name
    'faults.html'
    """
    drawn = [(section, [draw_fault(row) for row in section.rows]) for section in sections]
    tiles = (tile for _, rows in drawn for row in rows for _, tile in row.photographs)
    page = render_page(
        "faults.html.jinja",
        title=title,
        summary=summary,
        notes=list(notes),
        sections=drawn,
        aspect_ratio=aspect_ratio(tiles),
    )
    return write_whole(path, page)
