"""Defines the photographs that a gallery is made of, with what is known of each."""

import dataclasses
import hashlib
import os
import pathlib
import unicodedata
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.data import ImageSet
from nfl_keras.data.sources.file_set import SUFFIXES, file_set
from nfl_keras.data.sources.folder_tree import folder_tree
from nfl_keras.data.sources.table_columns import SUFFIXES as TABLES
from nfl_keras.data.sources.table_columns import whole_table
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path

# Columns of a gallery and of its answers, which no table may fill.
OWN_COLUMNS = ("bytes", "modified", "sha256", "query", "rank", "similarity", "match")


@dataclasses.dataclass(frozen=True, eq=False)
class Photographs:
    """Photographs with their metadata.

    Args:
        items: `pyarrow.Table`, sorted by the column `id`, a str. It has the columns `label`, a str
            or null; `bytes` and `modified`, int64, the size and the time in ns of the file, or
            null; and columns of metadata.
        read: function from a row's number to the photograph's bytes.
        root: str, the folder of the files, in which ids are paths. `None` if there is none.
        digests: `pyarrow.ChunkedArray`, the SHA-256 of each photograph's bytes, null for one that
            could not be read. Defaults to `None`: they are not known, and the bytes are read.
    """

    items: pa.Table
    read: Callable[[int], bytes]
    root: str | None
    digests: pa.ChunkedArray | None = None

    def sha256(self, row: int) -> bytes | None:
        """Returns the SHA-256 of a photograph's bytes."""
        if self.digests is not None:
            return self.digests[row].as_py()
        return hashlib.sha256(self.read(row)).digest()

    def image_set(self, rows: np.ndarray, read: Callable[[int], bytes]) -> ImageSet:
        """Returns an `ImageSet` of some rows, which reads by `read` from a row's number."""
        ids = np.asarray(self.items["id"].take(rows).to_pylist(), dtype=str)
        labels = np.zeros(len(ids), np.int32)
        return ImageSet(ids, labels, ["all"], lambda position: read(int(rows[position])))


def find_photographs(images: Path | ImageSet) -> Photographs:
    """Finds the photographs of a folder, a table or an image set.

    Args:
        images: str or path of a folder, in which the label of a photograph is the name of the
            folder that it lies in; or of a `.csv`, `.tsv` or `.parquet` file with the column
            `path` (below the table's folder), perhaps `label`, and columns of metadata; or an
            `nfl.data.ImageSet`.

    Returns:
        `Photographs`.

    Raises:
        UserError: if there are none, or the table cannot be used.

    Example:

    >>> from nfl_keras.gallery.photographs import find_photographs
    >>> found = find_photographs("photographs")
    >>> found.items.slice(0, 2).select(["id", "label"]).to_pylist()
    [{'id': 'ash/0.jpg', 'label': 'ash'}, {'id': 'ash/1.jpg', 'label': 'ash'}]
    """
    if isinstance(images, ImageSet):
        return _of_image_set(images)
    path = local_path(images)
    if path.suffix.lower() in TABLES:
        items, root = _of_table(path), path.parent
    elif path.is_dir():
        items, root = _of_folder(path), path
    else:
        raise UserError(
            f"there is no folder {str(path)!r}; give a folder of photographs, or a table "
            f"({', '.join(TABLES)}) with the column path."
        )
    items = items.sort_by("id")
    ids = items["id"].to_numpy(zero_copy_only=False).astype(str)
    sizes = [_size_and_time(root, name) for name in ids]
    for column, values in zip(("bytes", "modified"), zip(*sizes, strict=True), strict=True):
        items = items.append_column(column, pa.array(values, pa.int64()))
    none = np.zeros(len(ids), np.int32)
    return Photographs(items, file_set(root, ids, none, ["all"]).read, os.path.realpath(root))


def _of_folder(root: pathlib.Path) -> pa.Table:
    ids = folder_tree(root).photographs
    if not ids:
        raise UserError(
            f"the folder {str(root)!r} holds no photograph; their files end in "
            f"{', '.join(SUFFIXES)}."
        )
    above = [pathlib.PurePosixPath(name).parent.name for name in ids]
    labels = [unicodedata.normalize("NFC", name) or None for name in above]
    return pa.table({"id": pa.array(ids, pa.string()), "label": pa.array(labels, pa.string())})


def _of_table(path: pathlib.Path) -> pa.Table:
    columns = whole_table(path)
    ids = [os.path.normpath(name.replace("\\", "/")) for name in columns["path"].to_pylist()]
    for row, name in enumerate(ids, 1):
        if os.path.isabs(name) or name.startswith("..") or name == ".":
            raise UserError(
                f"{str(path)!r}, column 'path', row {row:,} is {name!r}; it must lie below the "
                f"table's folder."
            )
    unique, counts = np.unique(np.array(ids, dtype=str), return_counts=True)
    if len(unique) < len(ids):
        raise UserError(f"{str(path)!r} has {str(unique[counts.argmax()])!r} twice; remove one.")
    own = [name for name in columns.column_names if name in (*OWN_COLUMNS, "id")]
    if own:
        raise UserError(
            f"{str(path)!r} has the column {own[0]!r}, which galleries fill themselves; rename it."
        )
    items = columns.set_column(columns.column_names.index("path"), "id", pa.array(ids, pa.string()))
    if "label" not in items.column_names:
        items = items.append_column("label", pa.nulls(len(items), pa.string()))
    return items


def _of_image_set(image_set: ImageSet) -> Photographs:
    order = np.argsort(image_set.ids, kind="stable")
    names = np.array(image_set.class_names, dtype=object)
    unknown = pa.nulls(len(order), pa.int64())
    items = pa.table(
        {
            "id": pa.array(image_set.ids[order].tolist(), pa.string()),
            "label": pa.array(names[image_set.labels[order]].tolist(), pa.string()),
            "bytes": unknown,
            "modified": unknown,
        }
    )
    return Photographs(items, lambda row: image_set.read(int(order[row])), None)


def _size_and_time(root: pathlib.Path, name: str) -> tuple[int | None, int | None]:
    try:
        status = os.stat(root / name)
    except (OSError, ValueError):  # The reason is given when it is read.
        return None, None
    return status.st_size, status.st_mtime_ns


def unchanged(items: pa.Table, known: pa.Table) -> np.ndarray:
    """Finds photographs whose file has the name, size and time that it had.

    Args:
        items: `pyarrow.Table`, see `Photographs`.
        known: `pyarrow.Table` of the same columns, whose ids are unique.

    Returns:
        int64 `[N]`, for each item the row in `known`, or -1.
    """
    found = pc.fill_null(pc.index_in(items["id"], value_set=known["id"]), -1).to_numpy()
    found = found.astype(np.int64)
    there = np.flatnonzero(found >= 0)
    for column in ("bytes", "modified"):
        before = known[column].take(found[there])
        same = pc.fill_null(pc.equal(items[column].take(there), before), False)
        found[there[~same.to_numpy(zero_copy_only=False)]] = -1
        there = np.flatnonzero(found >= 0)
    return found
