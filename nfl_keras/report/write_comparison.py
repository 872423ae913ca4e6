"""The page that compares methods."""

import pathlib
from collections.abc import Sequence

from nfl_keras.files import write_whole
from nfl_keras.report.comparison import Comparison
from nfl_keras.report.render_page import render_page
from nfl_keras.typing import Path


def write_comparison(
    path: Path, *, title: str, summary: str, comparisons: Sequence[Comparison]
) -> pathlib.Path:
    """Writes the page that compares methods, one section for each dataset.

    Args:
        path: str or path of the file. It is replaced in one step.
        title: str. The headline.
        summary: str. What is compared, in one sentence.
        comparisons: sequence of `Comparison`.

    Returns:
        The `pathlib.Path` written.

    Example:

    >>> from nfl_keras.report import ComparedRow, Comparison, write_comparison
    >>> rows = [ComparedRow("ours", {"mAP": 0.9}, {"mAP": 0.875}, runs=1)]
    >>> comparisons = [Comparison("roses", "One split.", ["mAP"], rows)]
    >>> path = write_comparison("t.html", title="mAP", summary="", comparisons=comparisons)
    >>> path.name
    't.html'
    """
    page = render_page(
        "comparison.html.jinja", title=title, summary=summary, comparisons=list(comparisons)
    )
    return write_whole(path, page)
