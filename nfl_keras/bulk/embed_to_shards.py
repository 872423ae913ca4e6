"""Defines how photographs are embedded by a pool of workers on Ray."""

import contextlib
import dataclasses

import keras
import pyarrow as pa

from nfl_keras.bulk.on_ray import on_ray
from nfl_keras.bulk.photograph_files import find_files
from nfl_keras.bulk.shard_writer import SHARD, ShardWriter
from nfl_keras.errors import UserError
from nfl_keras.gallery.photograph_model import open_model
from nfl_keras.gallery.shards.shard_folder import ADDED, ShardFolder, shard_name
from nfl_keras.gallery.vector_source import ModelSource
from nfl_keras.progress import Progress
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.typing import Path


@dataclasses.dataclass(frozen=True)
class Embedded:
    """What a call of `embed_to_shards` did.

    Args:
        count: int, photographs of all shards.
        shards: int, shards.
        embedded: int, photographs that were embedded now, or found unusable.
        left_out: int, those of them that cannot be used.
    """

    count: int
    shards: int
    embedded: int
    left_out: int

    def __str__(self) -> str:
        return (
            f"{self.count:,} photographs in {self.shards:,} shards: {self.embedded:,} embedded "
            f"now, {self.left_out:,} of them cannot be used"
        )


def embed_to_shards(
    images: Path,
    model: Path,
    folder: Path,
    crops: int = 3,
    batch_size: int = 64,
    shard_size: int = 1024,
    actors: int | None = None,
    cpus_per_actor: int = 1,
    gpus_per_actor: int = 0,
    address: str = "local",
    data_dir: Path | None = None,
) -> Embedded:
    """Embeds photographs by workers of Ray, and writes shards for `Gallery.from_embeddings`.

    A worker that dies is replaced, and its shard is embedded by another. A call that was stopped
    goes on where it was: shards that are there are not embedded again. With a `shard_size` that is
    a multiple of 256, workers make the same batches as `Gallery.build`, and on the same kind of
    processor, with as many threads, the gallery of the shards has the same bytes. Otherwise its
    vectors differ by rounding.

    Every machine needs nfl_keras, and finds `images`, `model` and `folder` at the same paths. Ray's
    processes trust each other: use a cluster whose machines and users you trust.

    Args:
        images: str or path of a folder or a table, see `Gallery.build`; or the name of a dataset
            that `nfl.data.load` knows, such as `"tfds:NAME"`, all of whose photographs are meant.
        model: str or path of what `nfl.load` loads, or a server's `"HOST:PORT"`.
        folder: str or path of the shards, new or of the same photographs and model.
        crops: 3 or 1, crops of each photograph. Defaults to `3`.
        batch_size: int, photographs in a batch. Defaults to `64`.
        shard_size: int, photographs in a shard. Defaults to `1024`.
        actors: int, worker processes. Defaults to `None`: as many as there are processors for, or
            GPUs.
        cpus_per_actor: int, processors and threads of each. Defaults to `1`.
        gpus_per_actor: int, GPUs of each. Defaults to `0`.
        address: str, of Ray: `"local"` starts it on this machine, `"auto"` and
            `"ray://HOST:PORT"` find a cluster. Defaults to `"local"`. A program that has called
            `ray.init` has chosen.
        data_dir: str or path of the dataset, see `nfl.data.load`. Defaults to `None`.

    Returns:
        An `Embedded`, which prints itself.

    Raises:
        UserError: if there are no photographs or no such model; if the folder holds shards of
            others; if a machine lacks what it needs, or Ray does not answer.
    """
    shard_size = positive_int(shard_size, "shard_size")
    cpus_per_actor = positive_int(cpus_per_actor, "cpus_per_actor")
    if actors is not None:
        actors = positive_int(actors, "actors")
    photographs, files = find_files(images, data_dir)
    items = photographs.items
    own = [name for name in items.column_names if name in (*ADDED, SHARD)]
    if own:
        raise UserError(f"the table has the column {own[0]!r}, which shards fill; rename it.")
    blocks = [items.slice(start, shard_size) for start in range(0, len(items), shard_size)]
    names = [shard_name(number, block) for number, block in enumerate(blocks)]
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # The GPUs are for the workers.
            tf.config.set_visible_devices([], "GPU")
    source = ModelSource(open_model(model, crops, batch_size))
    shards = ShardFolder(folder)
    manifest = dataclasses.replace(source.manifest(photographs.root), count=len(items))
    manifest = shards.begin(manifest, set(names))
    there = {path.name for path in shards.files()}
    lacking = [
        block.append_column(SHARD, pa.array([name] * len(block)))
        for name, block in zip(names, blocks, strict=True)
        if name not in there
    ]
    todo, left_out = sum(map(len, lacking)), 0
    if lacking:
        path = shards.path.resolve()
        arguments = (files, manifest, path, items.schema, batch_size, cpus_per_actor)
        done = len(items) - todo
        with Progress(len(items), "photographs embedded", done=done) as progress:
            for row in on_ray(
                ShardWriter, arguments, lacking, actors, cpus_per_actor, gpus_per_actor, address
            ):
                if row["error"] is not None:
                    raise UserError(row["error"])
                progress.add(row["photographs"])
                left_out += row["left_out"]
    shards.finish(set(names))
    return Embedded(len(items), len(names), todo, left_out)
