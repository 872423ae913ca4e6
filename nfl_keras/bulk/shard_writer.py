"""Defines what embeds photographs on a worker, and writes each shard."""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import pyarrow as pa

from nfl_keras.bulk.photograph_files import PhotographFiles, check_folder
from nfl_keras.errors import UserError
from nfl_keras.gallery.photograph_model import open_model
from nfl_keras.gallery.photographs import Photographs
from nfl_keras.gallery.shards.shard_folder import ShardFolder
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.vector_source import CHUNK, ModelSource
from nfl_keras.typing import Path

# The column of a worker's input that names the shard.
SHARD = "shard"
# Workers that may die of one shard. A photograph that kills each worker would be tried forever.
_MOST_TRIES = 5


class ShardWriter:
    """Embeds the photographs of one shard after another. Each worker has one.

    What a user can mend is an answer, since an exception of a worker arrives without its class.

    Args:
        files: `PhotographFiles`.
        manifest: `Manifest` of the shards.
        folder: str or path of the shards.
        schema: `pyarrow.Schema` of the photographs.
        batch_size: int, photographs in a batch.
        threads: int, of the model and of decoding. Defaults to `None`: as TensorFlow chooses.
    """

    def __init__(
        self,
        files: PhotographFiles,
        manifest: Manifest,
        folder: Path,
        schema: pa.Schema,
        batch_size: int,
        threads: int | None = None,
    ) -> None:
        self._files, self._manifest, self._schema = files, manifest, schema
        self._folder, self._batch_size = ShardFolder(folder), batch_size
        if threads is not None and keras.config.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)

    def __call__(self, block: pa.Table) -> pa.Table:
        """Writes a shard, or nothing if it is there.

        Args:
            block: `pyarrow.Table` of the photographs, see `Photographs.items`, with the name of
                the shard in the column `shard`.

        Returns:
            `pyarrow.Table` of one row: `photographs` and `left_out`, how many there are of each;
            and `error`, null or why the shard cannot be written: this machine does not have the
            photographs, the folder or the model, or five workers have died of the shard.
        """
        [name] = block[SHARD].unique().to_pylist()
        columns = [block[field.name].combine_chunks() for field in self._schema]
        items = pa.table(columns, schema=self._schema)
        # What was written before its worker was killed is there when the shard's turn comes again.
        is_there, left_out, error = (self._folder.path / name).exists(), 0, None
        try:
            left_out = 0 if is_there else self._write(name, items)
        except UserError as found:
            error = str(found)
        answer = {"photographs": [len(items)], "left_out": [left_out]}
        return pa.table({**answer, "error": pa.array([error], pa.string())})

    def _write(self, name: str, items: pa.Table) -> int:
        check_folder(self._folder.path)
        with self._folder.trying(name) as tries:
            if tries > _MOST_TRIES:
                first, last = items["id"][0].as_py(), items["id"][-1].as_py()
                raise UserError(
                    f"{_MOST_TRIES} workers died of the photographs from {first!r} to {last!r}; "
                    f"give them more memory, or look for one that ends the process, and call again."
                )
            return self._embed(name, items)

    def _embed(self, name: str, items: pa.Table) -> int:
        read = self._read(items["id"].to_pylist())
        photographs = Photographs(items, read, self._manifest.images)
        parts = [
            self._source.embed(photographs, np.arange(len(items))[start : start + CHUNK])
            for start in range(0, len(items), CHUNK)
        ]
        known = pa.concat_tables([table for table, _ in parts])
        for column in ("sha256", "reason"):
            items = items.append_column(column, known[column].combine_chunks())
        vectors = np.concatenate([vectors for _, vectors in parts])
        self._folder.write(name, items, vectors, self._manifest)
        return int(len(items) - known["reason"].null_count)

    @functools.cached_property
    def _read(self) -> Callable[[Sequence[str]], Callable[[int], bytes]]:
        return self._files.opened()

    @functools.cached_property
    def _source(self) -> ModelSource:
        manifest = self._manifest
        source = ModelSource(open_model(manifest.model, manifest.crops, self._batch_size))
        source.check(manifest, str(self._folder.path))
        return source
