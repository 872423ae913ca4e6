"""Defines a folder of shards: Parquet files of embedded photographs."""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nfl_keras.errors import UserError
from nfl_keras.files import local_path, remove_partial, replacing
from nfl_keras.gallery.probe import check_fingerprint
from nfl_keras.gallery.storage.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from nfl_keras.typing import Path

# The key of a shard's schema metadata that tells of its model.
KEY = b"nfl_keras"
# Columns that a shard adds to the photographs'.
ADDED = ("sha256", "reason", "vector")


class ShardFolder:
    """A folder of embedded photographs, a Parquet file for some of them.

    ```
    manifest.json                         the model, and how many photographs there are
    00000042-0123456789abcdef.parquet     id, label, metadata, size, time and SHA-256 of some
                                          photographs, with the vector of each (float32), or the
                                          reason why it cannot be used
    ```

    The name of a shard is its number and a digest of what is known of its photographs. A shard is
    there whole or not at all, so that any process may write it again, and one that is there need
    not be written.

    Args:
        path: str or path.
    """

    def __init__(self, path: Path) -> None:
        self.path = local_path(path)

    def manifest(self) -> Manifest:
        """Reads the manifest. Its `count` is the number of photographs, good and bad.

        Raises:
            UserError: if there is none.
        """
        if not (self.path / MANIFEST).exists():
            raise UserError(
                f"{str(self.path)!r} holds no embedded photographs ({MANIFEST} is missing); make "
                f"them with nfl-keras embed."
            )
        return read_manifest(self.path / MANIFEST)

    def begin(self, manifest: Manifest, planned: set[str]) -> Manifest:
        """Prepares the folder for the shards of a model.

        Args:
            manifest: `Manifest`.
            planned: set of str, the names of all shards that are to be written.

        Returns:
            The `Manifest` of the folder, with the fingerprint of the first process that began it.

        Raises:
            UserError: if the folder holds shards of another model, or none but shards of other
                photographs; or if it cannot be written.
        """
        there = {path.name for path in self.files()}
        if there and not there & planned:
            raise UserError(
                f"{str(self.path)!r} holds shards of other photographs, or of another size; embed "
                f"into another folder."
            )
        if there:
            before = self.manifest()
            found = np.array(manifest.fingerprint)
            check_fingerprint(found, manifest.model, manifest.crops, before, str(self.path))
            manifest = dataclasses.replace(manifest, fingerprint=before.fingerprint)
        try:
            write_manifest(self.path / MANIFEST, manifest)
            for path in self.path.glob("*.tried"):
                path.unlink()
        except OSError as error:
            raise UserError(
                f"cannot write to {str(self.path)!r} ({error.strerror}); name another folder."
            ) from error
        return manifest

    def files(self) -> list[pathlib.Path]:
        """Returns the paths of all shards, in the order of their names."""
        pattern = "[0-9]" * 8 + "-" + "[0-9a-f]" * 16 + ".parquet"
        return sorted(self.path.glob(pattern))

    def finish(self, planned: set[str]) -> None:
        """Removes what killed workers have left, and shards of photographs that have changed."""
        remove_partial(self.path)
        for path in self.files():
            if path.name not in planned:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def trying(self, name: str) -> Iterator[int]:
        """Counts the processes that have tried to write a shard and were killed, and this one.

        Args:
            name: str, see `shard_name`.

        Yields:
            int, their number since `begin`.
        """
        path = self.path / f"{name}.tried"
        with open(path, "ab") as file:
            file.write(b".")
            tries = file.tell()
        yield tries
        path.unlink(missing_ok=True)

    def write(self, name: str, table: pa.Table, vectors: np.ndarray, manifest: Manifest) -> None:
        """Writes a shard.

        Args:
            name: str, see `shard_name`.
            table: `pyarrow.Table` of N photographs with their `sha256` and `reason`.
            vectors: float32 `[N, D]`.
            manifest: `Manifest` of the folder.
        """
        flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
        column = pa.FixedSizeListArray.from_arrays(flat, manifest.dimension)
        of_model = {"format": manifest.format, "model": manifest.model, "crops": manifest.crops}
        of_model["fingerprint"] = manifest.fingerprint
        metadata = {**(table.schema.metadata or {}), KEY: json.dumps(of_model).encode()}
        table = table.append_column("vector", column).replace_schema_metadata(metadata)
        with replacing(self.path / name) as partial:
            pq.write_table(table, partial, compression="zstd", write_page_checksum=True)


def shard_name(number: int, items: pa.Table) -> str:
    """Names a shard by its number and by what is known of its photographs before they are read.

    Example:

    >>> import pyarrow as pa
    >>> from nfl_keras.gallery.shards.shard_folder import shard_name
    >>> shard_name(42, pa.table({"id": ["a.jpg", "b.jpg"]}))
    '00000042-bf548dfcb75b9b5f.parquet'
    """
    known = json.dumps(items.to_pydict(), default=str).encode("utf-8", errors="replace")
    return f"{number:08d}-{hashlib.sha256(known).hexdigest()[:16]}.parquet"
