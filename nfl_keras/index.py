"""`python -m nfl_keras.index IMAGES --model MODEL --gallery GALLERY`: makes a gallery."""

import argparse
from collections.abc import Sequence

from nfl_keras.errors import exit_on_user_error


def main(arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.index") -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Embeds photographs into a gallery, or brings an older one up to date: only "
        "what is new or changed is embedded. A command that was stopped goes on where it was.",
    )
    add = parser.add_argument
    what = "folder of photographs, or a .csv, .tsv or .parquet table with the column path"
    add("images", metavar="IMAGES", nargs="?", help=what)
    model = "a run, an exported model, a preset, or HOST:PORT of a server"
    add("--model", metavar="MODEL", help=model)
    shards = "instead of IMAGES and --model: the folder that nfl-keras embed wrote"
    add("--from-embeddings", metavar="FOLDER", help=shards)
    where = "the gallery, new or of this model: a folder, or milvus://HOST:19530/COLLECTION"
    add("--gallery", metavar="GALLERY", required=True, help=where)
    crops = "crops of each photograph (default: the gallery's, else 3)"
    add("--crops", type=int, choices=(1, 3), help=crops)
    add("--batch-size", type=int, default=64, help="photographs at a time (default: %(default)s)")
    dtype = "of the stored vectors (default: the gallery's, else float32)"
    add("--dtype", choices=("float32", "float16"), help=dtype)
    given = parser.parse_args(arguments)
    if given.from_embeddings is None and None in (given.images, given.model):
        parser.error("give IMAGES and --model, or --from-embeddings")
    if (
        given.from_embeddings is not None
        and (given.images, given.model, given.crops) != (None,) * 3
    ):
        parser.error("--from-embeddings stands for IMAGES, --model and --crops; leave them out")
    with exit_on_user_error():
        # Imported after `--help` and mistakes have been answered, since TensorFlow takes long.
        from nfl_keras.gallery import Gallery

        if given.from_embeddings is not None:
            gallery = Gallery.from_embeddings(given.from_embeddings, given.gallery, given.dtype)
        else:
            gallery = Gallery.build(
                given.images, given.model, given.gallery, given.crops, given.batch_size, given.dtype
            )
        left_out = list(gallery.left_out.items())
        for name, reason in left_out[:20]:
            print(f"left out: {name}: {reason}")
        if len(left_out) > 20:
            print(f"left out: {len(left_out) - 20:,} more, see gallery.left_out")
        print(f"{given.gallery}: {gallery.changes}")


if __name__ == "__main__":
    main()
