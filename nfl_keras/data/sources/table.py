"""Defines how a table of paths and labels is read: a CSV or Parquet file."""

import ntpath
import pathlib
import posixpath
import unicodedata

from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.sources.class_order import class_order
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.data.sources.find_files import first_photograph
from nfl_keras.data.sources.split_meanings import split_meanings
from nfl_keras.data.sources.table_columns import table_columns
from nfl_keras.data.sources.without_missing import MissingImages, without_missing
from nfl_keras.errors import UserError
from nfl_keras.typing import Path


def table(path: Path, missing_images: MissingImages = "error") -> ImageSet:
    r"""Returns all photographs of a table: columns `path`, `label`, and optionally `split`.

    `path` is relative to the table's folder, with `/` or `\`, and is the photograph's id. `label`
    is text or an integer. Classes are in the order of `class_order`. `split` is `train`, `test`,
    `gallery`, `query` or another name that `split_meanings` knows. Other columns are ignored.
    Messages count rows from 1, without the header.

    Args:
        path: str or path of a file that `table_columns` reads: `.csv`, `.tsv` or `.parquet`.
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
    columns = table_columns(path)
    names = _paths(path, columns["path"])
    labels = [unicodedata.normalize("NFC", label) for label in columns["label"]]
    class_names = class_order(labels)
    number_of = {name: number for number, name in enumerate(class_names)}
    numbers = [number_of[label] for label in labels]
    own_split = None if "split" not in columns else _own_split(path, columns["split"])
    whole = file_set(path.parent, names, numbers, class_names, own_split)
    found = without_missing(whole, path.parent, missing_images, str(path))
    if not len(found):
        found_first = first_photograph(path.parent)
        there = "no photograph" if found_first is None else repr(found_first)
        raise UserError(
            f"none of the {len(whole):,} photographs of {str(path)!r} exist (the first: "
            f"{names[0]!r}, and there is {there}); paths must be relative to "
            f"the table's folder."
        )
    return found


def _own_split(path: pathlib.Path, values: list[str]) -> list[str]:
    meanings = split_meanings(set(values))
    for row, value in enumerate(values, 1):
        if value not in meanings:
            raise _unusable(
                path,
                "split",
                row,
                f"is {value!r}; it must be one of train, test, gallery, query, validation",
            )
    return [meanings[value] for value in values]


def _paths(path: pathlib.Path, values: list[str]) -> list[str]:
    names: list[str] = []
    first_row: dict[str, int] = {}
    for row, value in enumerate(values, 1):
        name = posixpath.normpath(value.replace("\\", "/"))
        if ntpath.isabs(value) or name.startswith(("/", "../")) or name in (".", ".."):
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
