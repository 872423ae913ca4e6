"""Defines how the columns of a table are read: a CSV or Parquet file."""

import codecs
import contextlib
import csv
import pathlib
from collections.abc import Iterator, Sequence

import pyarrow
import pyarrow.csv
import pyarrow.parquet
from pyarrow import types

from nfl_keras.errors import UserError

SUFFIXES = (".csv", ".tsv", ".parquet")
COLUMNS = ("path", "label", "split")

_DELIMITERS = (",", ";", "\t", "|")


def table_columns(path: pathlib.Path) -> dict[str, list[str]]:
    r"""Returns the columns `path`, `label` and perhaps `split` of a table as text.

    Names of columns are found whatever their case, and without blanks around them; so are the
    values. Text files are UTF-8 or, with a byte order mark, UTF-16, and separated by commas,
    semicolons, tabs or bars, whichever the header shows. Parquet may hold any type of text,
    and as labels integers, which may be stored as floats or decimals, and booleans.

    Args:
        path: `pathlib.Path` with one of `SUFFIXES`.

    Returns:
        Dict from each column's name to a list of str that are not empty.

    Raises:
        UserError: if the table cannot be read, or a column or a value is missing.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.table_columns import table_columns
    >>> _ = pathlib.Path("photographs.csv").write_text("Path; Label\na.jpg; rose")
    >>> table_columns(pathlib.Path("photographs.csv"))
    {'path': ['a.jpg'], 'label': ['rose']}
    """
    with _explained(path):
        read, places = _read(path, ("path", "label"))
        return {name: _as_text(path, name, read.column(place)) for name, place in places.items()}


def whole_table(path: pathlib.Path) -> pyarrow.Table:
    r"""Returns a whole table, with the columns `path`, `label` and `split` as text.

    Of these only `path` is required. They have these names whatever the table calls them, see
    `table_columns`. The other columns keep their names and types; those of text files have the
    types that Arrow finds in them.

    Args:
        path: `pathlib.Path` with one of `SUFFIXES`.

    Returns:
        A `pyarrow.Table`.

    Raises:
        UserError: if the table cannot be read, or the column `path` or a value in these columns is
            missing.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.table_columns import whole_table
    >>> _ = pathlib.Path("photographs.csv").write_text("Path; year\na.jpg; 1990")
    >>> whole_table(pathlib.Path("photographs.csv")).to_pylist()
    [{'path': 'a.jpg', 'year': 1990}]
    """
    with _explained(path):
        read, places = _read(path, ("path",), others=True)
        for name, place in places.items():
            text = pyarrow.array(_as_text(path, name, read.column(place)), pyarrow.string())
            read = read.set_column(read.column_names.index(place), name, text)
        return read.rename_columns([name.strip() for name in read.column_names])


def _read(
    path: pathlib.Path, required: Sequence[str], others: bool = False
) -> tuple[pyarrow.Table, dict[str, str]]:
    """Reads a table, with or without its other columns, and how it spells the known ones."""
    if path.suffix.lower() == ".parquet":
        places = _places(path, pyarrow.parquet.read_schema(path).names, required)
        columns = None if others else list(places.values())
        read = pyarrow.parquet.read_table(path, columns=columns)
    else:
        read, places = _read_text(path, required, others)
    if not len(read):
        raise UserError(f"the table {str(path)!r} has no rows.")
    return read, places


@contextlib.contextmanager
def _explained(path: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (OSError, ValueError, csv.Error, pyarrow.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"the table {str(path)!r} cannot be read ({reason}); save it as CSV in UTF-8, or as "
            f"Parquet."
        ) from error


def _read_text(
    path: pathlib.Path, required: Sequence[str], others: bool
) -> tuple[pyarrow.Table, dict[str, str]]:
    with open(path, "rb") as file:
        mark = file.read(2)
    utf16 = mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    with open(path, newline="", encoding="utf-16" if utf16 else "utf-8-sig") as text:
        lines = iter(text.readline, "")
        header = next((line for line in lines if line.strip()), "")
    headers = {
        delimiter: next(csv.reader([header], delimiter=delimiter), []) for delimiter in _DELIMITERS
    }
    delimiter = max(_DELIMITERS, key=lambda d: len(_known(headers[d])))
    places = _places(path, headers[delimiter], required)
    read = pyarrow.csv.read_csv(
        path,
        pyarrow.csv.ReadOptions(encoding="utf-16" if utf16 else "utf-8"),
        pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(places.values(), pyarrow.string()),
            include_columns=[] if others else list(places.values()),
        ),
    )
    return read, places


def _known(header: Sequence[str]) -> dict[str, str]:
    """Returns the spelling of each known column in a header, the exact one if there are two."""
    spelled = {name.strip().lower(): name for name in reversed(header)}
    return {n: n if n in header else spelled[n] for n in COLUMNS if n in spelled}


def _places(path: pathlib.Path, header: Sequence[str], required: Sequence[str]) -> dict[str, str]:
    places = _known(header)
    for name in COLUMNS:
        if name not in places and name in required:
            raise UserError(
                f"the table {str(path)!r} has no column {name!r}, but "
                f"{', '.join(map(repr, header))}; required are {' and '.join(required)}, "
                f"and split is optional."
            )
        if name in places and list(header).count(places[name]) > 1:
            raise UserError(f"the table {str(path)!r} has two columns {name!r}; remove one.")
    return places


def _as_text(path: pathlib.Path, name: str, column: pyarrow.ChunkedArray) -> list[str]:
    kind = column.type
    if types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if name == "label" and (types.is_floating(kind) or types.is_decimal(kind)):
        with contextlib.suppress(pyarrow.ArrowInvalid):  # Unless all of them are integers.
            column = column.cast(pyarrow.int64())
    of_label = types.is_integer(column.type) or types.is_boolean(kind)
    if not (_is_text(kind) or types.is_null(kind) or (name == "label" and of_label)):
        wanted = "text or integers" if name == "label" else "text"
        raise UserError(f"the column {name!r} of {str(path)!r} must be {wanted}, not {kind}.")
    values = [(value or "").strip() for value in column.cast(pyarrow.string()).to_pylist()]
    if "" in values:
        row = values.index("") + 1
        raise UserError(f"{str(path)!r}, column {name!r}, row {row:,} is empty.")
    return values


def _is_text(kind: pyarrow.DataType) -> bool:
    tests = (
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
    )
    return any(test(kind) for test in tests)
