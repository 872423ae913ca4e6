"""The page with the answers of a search."""

import pathlib
from collections.abc import Iterable

from nfl_keras.files import write_whole
from nfl_keras.report.render_page import render_page
from nfl_keras.report.retrieval_rows import RetrievalRow, draw_rows
from nfl_keras.typing import Path


def write_search(
    path: Path,
    *,
    title: str,
    summary: str,
    rows: Iterable[RetrievalRow],
    threshold: float | None = None,
) -> pathlib.Path:
    """Writes the answers of a search as one HTML file that loads no other.

    Args:
        path: str or path of the file. It is replaced in one step.
        title: str. The headline.
        summary: str. What was searched in, in one sentence.
        rows: iterable of `RetrievalRow`, one per query.
        threshold: float, the least similarity of a match. Defaults to `None`: not known.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.report import Neighbor, RetrievalRow, write_search
    >>> bloom = nfl.data.load("blooms").read(0)
    >>> row = RetrievalRow(bloom, "query.jpg", [Neighbor(bloom, "aster", 1.0, correct=None)])
    >>> write_search("search.html", title="Search", summary="1 photograph.", rows=[row]).name
    'search.html'
    """
    drawn, aspect_ratio = draw_rows(rows)
    page = render_page(
        "search.html.jinja",
        title=title,
        summary=summary,
        rows=drawn,
        aspect_ratio=aspect_ratio,
        threshold=threshold,
    )
    return write_whole(path, page)
