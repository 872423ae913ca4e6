"""Comparisons of methods as Markdown."""

from collections.abc import Sequence

from nfl_keras.report.comparison import ComparedRow, Comparison


def markdown_of_comparisons(title: str, summary: str, comparisons: Sequence[Comparison]) -> str:
    """Writes comparisons as Markdown: a table each, the published figures beside the measured.

    Args:
        title: str.
        summary: str.
        comparisons: sequence of `Comparison`.

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
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(comparison: Comparison) -> str:
    published = comparison.is_published
    titles = [""]
    for column in comparison.columns:
        titles += [f"{column}: paper", "ours"] if published else [column]
    lines = [_line([*titles, "s a run", ""]), "|---" * (len(titles) + 2) + "|"]
    for row in comparison.rows:
        cells = [row.name]
        for column in comparison.columns:
            cells += [_paper(row, column)] if published else []
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
