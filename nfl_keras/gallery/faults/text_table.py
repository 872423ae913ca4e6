"""Short tables for a terminal."""

from collections.abc import Sequence

SHOWN = 20  # rows


def text_table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Formats a heading and the first 20 rows of a table, and counts the rows left out.

    Args:
        heading: str, the lines before the table.
        columns: sequence of str, `[C]`, the columns' names.
        rows: sequence of rows of C str.

    Returns:
        str, of lines without spaces at their ends. Without rows it is the heading.

    Example:

    >>> from nfl_keras.gallery.faults.text_table import text_table
    >>> print(text_table("2 photographs", ["label", "id"], [["iris", "1.jpg"], ["tulip", "2.jpg"]]))
    2 photographs
    label  id
    iris   1.jpg
    tulip  2.jpg
    """
    shown = [columns, *rows[:SHOWN]]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = [heading]
    if rows:
        cells = (map(str.ljust, row, widths) for row in shown)
        lines += ["  ".join(row).rstrip() for row in cells]
    if len(rows) > SHOWN:
        lines.append(f"... and {len(rows) - SHOWN:,} more rows")
    return "\n".join(lines)
