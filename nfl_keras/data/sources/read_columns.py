"""The lists of a dataset: text files of a few columns with blanks between."""

from nfl_keras.errors import UserError


def read_columns(path, num_columns, header=False):
    """The rows of a text file; only the last column may hold blanks.

    Args:
        path: `pathlib.Path`, of UTF-8 text.
        num_columns: int.
        header: bool, whether to pass over the first line. Defaults to `False`.

    Returns:
        A list of lists of `num_columns` str; empty lines are passed over.

    Raises:
        UserError: if the file cannot be read, or a line has fewer columns.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{str(path)!r} cannot be read ({error}); unpack it anew.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        row = line.split(maxsplit=num_columns - 1)
        if not row or (header and number == 1):
            continue
        if len(row) != num_columns:
            raise UserError(
                f"line {number} of {str(path)!r} has {len(row)} columns, not {num_columns}: "
                f"{line[:80]!r}; unpack the file anew."
            )
        rows.append([*row[:-1], row[-1].rstrip()])
    return rows
