"""`python -m nfl_keras.embed IMAGES --model MODEL --out FOLDER`: embeds by many processes."""

import argparse
from collections.abc import Sequence

from nfl_keras.errors import exit_on_user_error


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.embed") -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Embeds photographs by worker processes of Ray, on this machine or a cluster, "
        "into shards that `nfl-keras index --from-embeddings` makes a gallery of. A command that "
        "was stopped goes on where it was.",
    )
    add = parser.add_argument
    what = "folder of photographs, a .csv, .tsv or .parquet table with the column path, or the "
    add("images", metavar="IMAGES", help=what + "name of a dataset, such as tfds:NAME")
    model = "a run, an exported model, a preset, or HOST:PORT of a server"
    add("--model", metavar="MODEL", required=True, help=model)
    add("--out", metavar="FOLDER", required=True, help="the folder of shards")
    crops = "crops of each photograph (default: %(default)s)"
    add("--crops", type=int, choices=(1, 3), default=3, help=crops)
    add("--batch-size", type=int, default=64, help="photographs at a time (default: %(default)s)")
    shard = "photographs in a shard, a multiple of 256 (default: %(default)s)"
    add("--shard-size", type=int, default=1024, help=shard)
    add("--actors", type=int, metavar="N", help="worker processes (default: all there is room for)")
    cpus = "processors and threads of each (default: %(default)s)"
    add("--cpus-per-actor", type=int, default=1, metavar="N", help=cpus)
    gpus = "GPUs of each (default: %(default)s)"
    add("--gpus-per-actor", type=int, default=0, metavar="N", help=gpus)
    address = "of Ray: local starts it here, auto or ray://HOST:PORT find a cluster that you trust"
    add("--address", default="local", help=address + " (default: %(default)s)")
    add("--data-dir", metavar="FOLDER", help="where the dataset is")
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        # Imported after `--help` and mistakes have been answered, since TensorFlow takes long.
        from nfl_keras.bulk import embed_to_shards

        embedded = embed_to_shards(
            given.images,
            given.model,
            given.out,
            crops=given.crops,
            batch_size=given.batch_size,
            shard_size=given.shard_size,
            actors=given.actors,
            cpus_per_actor=given.cpus_per_actor,
            gpus_per_actor=given.gpus_per_actor,
            address=given.address,
            data_dir=given.data_dir,
        )
        print(f"{given.out}: {embedded}")


if __name__ == "__main__":
    main()
