"""The charts of comparisons as files of their own."""

import pathlib
import re
from collections.abc import Sequence

from nfl_keras.files import write_whole
from nfl_keras.report.comparison import Comparison
from nfl_keras.report.draw_curves import Panel
from nfl_keras.report.render_page import render_page


def write_figures(
    folder: pathlib.Path, stem: str, comparisons: Sequence[Comparison]
) -> list[pathlib.Path]:
    """Writes each chart of comparisons as an SVG file, in light or dark colors as its viewer has.

    Args:
        folder: `pathlib.Path`.
        stem: str, with which the files' names begin.
        comparisons: sequence of `Comparison`.

    Returns:
        List of the `pathlib.Path` written, see `figure_name`.

    Example:

    >>> import pathlib
    >>> from nfl_keras.report import Comparison, draw_at_k, write_figures
    >>> panels = [draw_at_k({"triplet": {1: 0.4, 2: 0.5}}, "Recall")]
    >>> [path] = write_figures(pathlib.Path(), "t", [Comparison("roses", "", [], [], [], panels)])
    >>> path.name
    't-roses-recall-k.svg'
    """
    colors = render_page("colors.css.jinja")
    return [
        write_whole(folder / figure_name(stem, comparison, panel), _alone(panel.svg, colors))
        for comparison in comparisons
        for panel in comparison.panels
    ]


def figure_name(stem: str, comparison: Comparison, panel: Panel) -> str:
    """Returns the name of the file of a chart."""
    words = f"{comparison.heading} {panel.heading}".lower()
    return f"{stem}-{re.sub('[^a-z0-9_]+', '-', words)}.svg"


def _alone(svg: str, colors: str) -> str:
    """Gives an inline `<svg>` its namespace, and the page's colors."""
    start, end, rest = svg.partition(">")
    start = start.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{start}{end}<style>{colors}</style>{rest}\n"
