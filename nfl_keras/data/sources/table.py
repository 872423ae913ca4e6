"""Defines how a table of paths and labels is read: a CSV or Parquet file."""

import pathlib
import posixpath

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from nfl_keras.data.image_set import OWN_SPLITS, ImageSet
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path

SUFFIXES = (".csv", ".parquet")


def table(path: Path, missing_images: MissingImages = "error") -> ImageSet:
    r"""Returns all photographs of a table: columns `path`, `label`, and optionally `split`.

    `path` is relative to the table's folder, with `/`, and is the photograph's id. `label` is
    text or an integer. Classes are ordered as numbers if all labels are integers, otherwise
    alphabetically. `split` is `train`, `test`, `gallery` or `query`; `test` is both query and
    gallery. Other columns are ignored. Messages count rows from 1, without the header.

    Args:
        path: str or path of a `.csv` (comma-separated UTF-8 with a header) or `.parquet` file.
        missing_images: `"error"`, or `"skip"` to leave out photographs that have no file.
            Defaults to `"error"`.

    Returns:
        An `ImageSet`, in the table's order.

    Raises:
        UserError: if the table cannot be used or files are missing. The message names the column
            and the row, or the files.

    Example:

    >>> import pathlib
    >>> from nfl_keras.data.sources.table import table
    >>> _ = pathlib.Path("photographs.csv").write_text("path,label\na.jpg,rose\nb.jpg,iris")
    >>> pathlib.Path("a.jpg").touch(), pathlib.Path("b.jpg").touch()
    (None, None)
    >>> table("photographs.csv").class_names
    ('iris', 'rose')
    """
    path = pathlib.Path(path)
    columns = _read(path)
    names = _paths(path, columns["path"])
    labels = columns["label"]
    if all(label.removeprefix("-").isdecimal() for label in set(labels)):
        class_names = sorted(set(labels), key=lambda label: (int(label), label))
    else:
        class_names = sorted(set(labels))
    number_of = {name: number for number, name in enumerate(class_names)}
    own_split = columns.get("split")
    for row, split in enumerate(own_split or (), 1):
        if split not in OWN_SPLITS:
            raise _unusable(
                path,
                "split",
                row,
                f"is {split!r}; it must be one of {', '.join(OWN_SPLITS)} (validation is held "
                f"out of train)",
            )
    numbers = [number_of[label] for label in labels]
    whole = file_set(path.parent, names, numbers, class_names, own_split)
    found = without_missing(whole, path.parent, missing_images, str(path))
    if not len(found):
        raise UserError(
            f"none of the {len(whole):,} photographs of {str(path)!r} exist (the first: "
            f"{names[0]!r}); paths must be relative to the table's folder."
        )
    return found


def _read(path: pathlib.Path) -> dict[str, list[str]]:
    """Returns the table's columns as lists of str without nulls."""
    try:
        if path.suffix.lower() == ".parquet":
            schema = pyarrow.parquet.read_schema(path)
            wanted = [name for name in ("path", "label", "split") if name in schema.names]
            read = pyarrow.parquet.read_table(path, columns=wanted)
        else:
            text = dict.fromkeys(("path", "label", "split"), pyarrow.string())
            convert = pyarrow.csv.ConvertOptions(column_types=text, strings_can_be_null=False)
            read = pyarrow.csv.read_csv(path, convert_options=convert)
    except (OSError, pyarrow.ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"the table {str(path)!r} cannot be read ({reason}).") from error
    columns = {}
    for name in ("path", "label", "split"):
        if name in read.column_names:
            columns[name] = _as_text(path, name, read.column(name))
        elif name != "split":
            raise UserError(
                f"the table {str(path)!r} has no column {name!r}, but "
                f"{', '.join(map(repr, read.column_names))}; the columns path and label are "
                f"required, and split is optional."
            )
    if not columns["path"]:
        raise UserError(f"the table {str(path)!r} has no rows.")
    return columns


def _as_text(path: pathlib.Path, name: str, column: pyarrow.ChunkedArray) -> list[str]:
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    is_text = pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
    if not is_text and not (name == "label" and pyarrow.types.is_integer(kind)):
        wanted = "text or integers" if name == "label" else "text"
        raise UserError(f"the column {name!r} of {str(path)!r} must be {wanted}, not {kind}.")
    values = column.cast(pyarrow.string()).to_pylist()
    for row, value in enumerate(values, 1):
        if not value:
            raise _unusable(path, name, row, "is empty")
    return values


def _paths(path: pathlib.Path, values: list[str]) -> list[str]:
    names: list[str] = []
    first_row: dict[str, int] = {}
    for row, value in enumerate(values, 1):
        name = posixpath.normpath(value)
        if name.startswith(("/", "../")) or name in (".", ".."):
            raise _unusable(
                path, "path", row, f"is {value!r}; it must lie below the table's folder"
            )
        if name in first_row:
            raise _unusable(path, "path", row, f"repeats row {first_row[name]}: {value!r}")
        first_row[name] = row
        names.append(name)
    return names


def _unusable(path: pathlib.Path, column: str, row: int, what: str) -> UserError:
    return UserError(f"{str(path)!r}, column {column!r}, row {row:,} {what}.")
