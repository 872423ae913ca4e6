"""Defines the folder of a gallery: its files, and how they change in one step."""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from nfl_keras.errors import UserError
from nfl_keras.files import local_path, remove_partial, replacing
from nfl_keras.gallery.storage.folder.folder_contents import FolderContents
from nfl_keras.gallery.storage.folder.mapped_vectors import MappedVectors, write_vectors
from nfl_keras.gallery.storage.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from nfl_keras.gallery.storage.one_writer import one_writer
from nfl_keras.gallery.storage.unfinished import Unfinished
from nfl_keras.retrieval.nearest import Vectors
from nfl_keras.typing import Path

_BLOCK_BYTES = 2**26


class GalleryFolder:
    """The folder of a gallery.

    ```
    manifest.json         the model, and which of the files below are the gallery
    vectors-N.npy         the embeddings
    items-N.parquet       id, label and metadata of each, with size, time and SHA-256 of its file
    left_out-N.parquet    photographs that cannot be used, and why
    unfinished/           what an index that is not finished has embedded so far
    lock                  held by the process that writes
    ```

    The manifest is replaced in one step after the files that it names are whole. Readers see the
    gallery before or after, and those that have it open keep what they opened.

    Args:
        path: str or path.
    """

    def __init__(self, path: Path) -> None:
        self.path = local_path(path)
        self._begun = self.path / "unfinished"

    @property
    def name(self) -> str:
        """str, the path."""
        return str(self.path)

    @property
    def exists(self) -> bool:
        """bool, whether there is a gallery."""
        return (self.path / MANIFEST).exists()

    def manifest(self) -> Manifest:
        """Reads the manifest.

        Raises:
            UserError: if there is none, or it is not one of this version.
        """
        return read_manifest(self.path / MANIFEST)

    def begun(self) -> Manifest | None:
        """Reads the manifest of a gallery that exists or is begun, or returns `None`."""
        for path in (self.path / MANIFEST, self._begun / MANIFEST):
            if path.exists():
                return read_manifest(path)
        return None

    def begin(self, manifest: Manifest) -> None:
        """Keeps which model an unfinished gallery is made by. The caller holds `locked`."""
        write_manifest(self._begun / MANIFEST, manifest)

    def unfinished(self, manifest: Manifest) -> Unfinished:
        """Opens what has been embedded but not committed. The caller holds `locked`."""
        return Unfinished(self._begun, manifest.dimension, manifest.dtype)

    def read(self) -> FolderContents:
        """Opens the gallery as it is now.

        Raises:
            UserError: if it is damaged.
        """
        while True:
            manifest = self.manifest()
            try:
                contents = FolderContents(
                    manifest,
                    self._table("items", manifest),
                    self._table("left_out", manifest),
                    MappedVectors(self._file("vectors", "npy", manifest)),
                )
            except FileNotFoundError as error:
                if self.manifest().commit != manifest.commit:
                    continue  # A writer has replaced it meanwhile.
                raise UserError(
                    f"the gallery {str(self.path)!r} has lost the file {error.filename!r}; index "
                    f"anew into another folder."
                ) from error
            size = len(contents.items), manifest.dimension
            if contents.vectors.shape != size or manifest.count != len(contents.items):
                raise UserError(
                    f"the files of the gallery {str(self.path)!r} do not fit each other "
                    f"({contents.vectors.shape[0]:,} vectors, {len(contents.items):,} items); "
                    f"index anew into another folder."
                )
            return contents

    @contextlib.contextmanager
    def locked(self) -> Iterator[Self]:
        """Keeps other processes from writing, and removes what killed ones have left.

        Raises:
            UserError: if another process writes, or the folder cannot be written.
        """
        with one_writer(self.path, self.name):
            self._remove_old()
            yield self

    def commit(
        self, manifest: Manifest, items: pa.Table, left_out: pa.Table, vectors: Vectors
    ) -> None:
        """Replaces the gallery. The caller holds `locked`.

        Args:
            manifest: `Manifest`, whose counts and commit are set here.
            items: `pyarrow.Table`, sorted by `id`.
            left_out: `pyarrow.Table`, sorted by `id`.
            vectors: `Vectors`, in the order of `items`.

        Raises:
            UserError: if the disk is full.
        """
        before = self.manifest().commit if self.exists else 0
        manifest = dataclasses.replace(
            manifest, count=len(items), left_out=len(left_out), commit=before + 1
        )
        step = max(1, _BLOCK_BYTES // (4 * manifest.dimension))
        blocks = (vectors[start : start + step] for start in range(0, len(items), step))
        with replacing(self._file("vectors", "npy", manifest)) as partial:
            write_vectors(partial, blocks, len(items), manifest.dimension, manifest.dtype)
        for name, table in (("items", items), ("left_out", left_out)):
            with replacing(self._file(name, "parquet", manifest)) as partial:
                pq.write_table(table, partial, compression="zstd")
        self.write_manifest(manifest)
        self._remove_old()

    def write_manifest(self, manifest: Manifest) -> None:
        """Writes a manifest over the files that are there. The caller holds `locked`."""
        write_manifest(self.path / MANIFEST, manifest)

    def _file(self, name: str, suffix: str, manifest: Manifest) -> pathlib.Path:
        return self.path / f"{name}-{manifest.commit}.{suffix}"

    def _table(self, name: str, manifest: Manifest) -> pa.Table:
        path = self._file(name, "parquet", manifest)
        try:
            return pq.read_table(path).combine_chunks()
        except (pa.ArrowInvalid, OSError) as error:
            if not path.exists():
                raise FileNotFoundError(2, os.strerror(2), str(path)) from error
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"{str(path)!r} is not what nfl-keras index wrote ({reason}); index anew into "
                f"another folder."
            ) from error

    def _remove_old(self) -> None:
        remove_partial(self.path)
        kept = f"-{self.manifest().commit}." if self.exists else None
        for name in ("vectors-*.npy", "items-*.parquet", "left_out-*.parquet"):
            for file in self.path.glob(name):
                if kept is None or kept not in file.name:
                    file.unlink(missing_ok=True)
