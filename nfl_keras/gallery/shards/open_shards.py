"""Defines how embedded photographs are read from shards, and checked."""

import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nfl_keras.data.sources.file_set import reader
from nfl_keras.errors import UserError
from nfl_keras.gallery.photographs import Photographs
from nfl_keras.gallery.probe import check_fingerprint
from nfl_keras.gallery.shards.shard_folder import ADDED, KEY, ShardFolder
from nfl_keras.gallery.shards.shard_source import ShardSource
from nfl_keras.gallery.shards.shard_vectors import ShardVectors
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.typing import Path


def open_shards(path: Path) -> tuple[Photographs, ShardSource]:
    """Opens the photographs that `nfl-keras embed` has embedded, and checks that they are whole.

    Args:
        path: str or path of the folder.

    Returns:
        `Photographs`, as `find_photographs` found them, and the source of their vectors.

    Raises:
        UserError: if a shard is missing, damaged or of another model, or if an id stands in two
            shards that do not agree.
    """
    folder = ShardFolder(path)
    manifest = folder.manifest()
    files = folder.files()
    tables = [_items(file, manifest, str(folder.path)) for file in files]
    if not tables:
        raise UserError(f"{str(folder.path)!r} holds no shard yet; run nfl-keras embed again.")
    try:
        joined = pa.concat_tables(tables)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"the shards of {str(folder.path)!r} do not have the same columns; embed anew into "
            f"another folder."
        ) from error
    vectors = ShardVectors(files, np.cumsum([0, *map(len, tables)]), manifest.dimension)
    order = pc.sort_indices(joined, [("id", "ascending")]).to_numpy().astype(np.int64)
    order = order[_first_of_each(joined, order, vectors)]
    if len(order) != manifest.count:
        raise UserError(
            f"{str(folder.path)!r} holds {len(order):,} of {manifest.count:,} photographs; run "
            f"nfl-keras embed again, which embeds only what is missing."
        )
    known = joined.take(order).combine_chunks()
    items = known.drop_columns([name for name in ADDED if name in known.column_names])
    ids = items["id"].to_numpy(zero_copy_only=False).astype(str)
    root = manifest.images
    read = _no_file if root is None else reader(root, ids)
    photographs = Photographs(items, read, root, known["sha256"])
    return photographs, ShardSource(manifest, known, vectors, order)


def _items(file: pathlib.Path, manifest: Manifest, folder: str) -> pa.Table:
    """Reads all of a shard but its vectors."""
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            schema = opened.schema_arrow
            metadata = dict(schema.metadata or {})
            of_model = json.loads(metadata.pop(KEY))
            found = np.array(of_model["fingerprint"], np.float64)
            name, crops = str(of_model["model"]), int(of_model["crops"])
            columns = [field.name for field in schema if field.name != "vector"]
            expected = pa.list_(pa.float32(), manifest.dimension)
            table = opened.read(columns).replace_schema_metadata(metadata or None)
            is_shard = set(ADDED) <= set(schema.names) and schema.field("vector").type == expected
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"the shard {str(file)!r} is damaged ({reason}); remove it and run nfl-keras embed "
            f"again, which embeds only what is missing."
        ) from error
    check_fingerprint(found, name, crops, manifest, folder)
    if not is_shard:
        raise UserError(
            f"the shard {str(file)!r} has other columns than nfl-keras embed writes; remove it."
        )
    return table


def _first_of_each(joined: pa.Table, order: np.ndarray, vectors: ShardVectors) -> np.ndarray:
    """Returns the positions in `order` of the first row of each id. The others must equal it."""
    ids = joined["id"].take(order).combine_chunks()
    is_first = np.ones(len(order), bool)
    is_first[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    for again in np.flatnonzero(~is_first):
        rows = order[again - 1 : again + 1]
        left, right = joined.take(rows).to_pylist()
        if left != right or not np.array_equal(*vectors[rows]):
            one, other = (vectors.file_of(int(row)).name for row in rows)
            raise UserError(
                f"{ids[again].as_py()!r} stands in {one} and otherwise in {other}; remove the "
                f"older of them."
            )
    return np.flatnonzero(is_first)


def _no_file(row: int) -> bytes:
    raise UserError("the photographs were not embedded from files; open the gallery with images.")
