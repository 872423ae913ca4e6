"""Defines how the lists of a dataset are read: text files of columns with blanks between."""

import pathlib

from nfl_keras.errors import UserError


def read_columns(path: pathlib.Path, num_columns: int, header: int = 0) -> list[list[str]]:
    """Returns the rows of a text file in which only the last column may hold blanks.

    Args:
        path: `pathlib.Path` of a file in UTF-8.
        num_columns: int.
        header: int, lines at the beginning that are a header, which is ignored. Defaults to `0`.

    Returns:
        A list of lists of `num_columns` str, without empty lines.

    Raises:
        UserError: if the file cannot be read, or a line has fewer columns.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.read_columns import read_columns
    >>> _ = pathlib.Path("classes.txt").write_text("1 Laysan Albatross")
    >>> read_columns(pathlib.Path("classes.txt"), 2)
    [['1', 'Laysan Albatross']]
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{str(path)!r} cannot be read ({error}); unpack it again.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        row = line.split(maxsplit=num_columns - 1)
        if not row or number <= header:
            continue
        if len(row) != num_columns:
            raise UserError(
                f"line {number} of {str(path)!r} has {len(row)} columns, not {num_columns}: "
                f"{line[:80]!r}; unpack the file again."
            )
        rows.append([*row[:-1], row[-1].rstrip()])
    return rows
