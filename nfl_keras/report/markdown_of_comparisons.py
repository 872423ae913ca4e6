"""Comparisons of methods as Markdown."""

from collections.abc import Sequence

from nfl_keras.report.comparison import ComparedRow, Comparison
from nfl_keras.report.write_figures import figure_name


def markdown_of_comparisons(
    title: str, summary: str, comparisons: Sequence[Comparison], stem: str = ""
) -> str:
    """Writes comparisons as Markdown: a table each, the published figures beside the measured.

    Args:
        title: str.
        summary: str.
        comparisons: sequence of `Comparison`.
        stem: str, with which the names of the files of `write_figures` begin. Defaults to `""`:
            none is shown.

    Returns:
        str.

    Example:

    >>> from nfl_keras.report import ComparedRow, Comparison, markdown_of_comparisons
    >>> rows = [
    ...     ComparedRow("ours", {"mAP": 0.9}, {"mAP": 0.875}, {"mAP": 0.01}, runs=3, seconds=60),
    ...     ComparedRow("theirs", {"mAP": 0.8}, note="published, not run"),
    ... ]
    >>> page = markdown_of_comparisons("mAP", "", [Comparison("roses", "", ["mAP"], rows)])
    >>> print(page.rstrip())
    # mAP
    <BLANKLINE>
    ## roses
    <BLANKLINE>
    | | mAP: paper | ours | s a run | |
    |---|---|---|---|---|
    | ours | 0.9000 | **0.875 ± 0.010** | 60 | |
    | theirs | 0.8000 | - | - | published, not run |
    """
    parts = [f"# {title}", summary]
    for comparison in comparisons:
        parts += [f"## {comparison.heading}", comparison.summary, _table(comparison)]
        parts += ["\n".join(f"- {note}" for note in comparison.notes)]
        parts += [
            f"![{panel.heading}]({figure_name(stem, comparison, panel)})\n\n{panel.caption}"
            for panel in comparison.panels
            if stem
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(comparison: Comparison) -> str:
    titles = [""]
    for column in comparison.columns:
        titles += [f"{column}: paper", "ours"] if comparison.is_published(column) else [column]
    lines = [_line([*titles, "s a run", ""]), "|---" * (len(titles) + 2) + "|"]
    for row in comparison.rows:
        cells = [row.name]
        for column in comparison.columns:
            cells += [_paper(row, column)] if comparison.is_published(column) else []
            cells += [_ours(row, column, comparison.best(column))]
        seconds = "-" if row.seconds is None else f"{row.seconds:.0f}"
        lines.append(_line([*cells, seconds, row.note]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


def _paper(row: ComparedRow, column: str) -> str:
    return f"{row.published[column]:.4f}" if column in row.published else "-"


def _ours(row: ComparedRow, column: str, best: float | None) -> str:
    if column not in row.mean:
        return "-"
    text = f"{row.mean[column]:.3f}"
    if column in row.deviation:
        text += f" ± {row.deviation[column]:.3f}"
    return f"**{text}**" if row.mean[column] == best else text
