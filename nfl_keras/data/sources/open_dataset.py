"""One door to every dataset."""

import os

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.protocols import own_protocol
from nfl_keras.data.sources.benchmarks import BENCHMARKS, open_benchmark
from nfl_keras.data.sources.folder import folder
from nfl_keras.data.sources.table import SUFFIXES as TABLES
from nfl_keras.data.sources.table import table
from nfl_keras.data.sources.tfds_builder import can_be_prepared, find_prepared
from nfl_keras.data.sources.tfds_dataset import tfds_dataset
from nfl_keras.errors import UserError


def load(
    name_or_folder,
    data_dir=None,
    protocol=None,
    split="train",
    seed=0,
    missing_images="error",
):
    """Loads one split of a dataset.

    Args:
        name_or_folder: str or path, see `open_dataset`.
        data_dir: str, see `open_dataset`. Defaults to `None`.
        protocol: `"fine-grained"` or `"zero-shot"`, see `nfl_keras.data.protocols`. Defaults
            to the dataset's usual one: fine-grained with 40 / 25 / 15 photographs per class
            for `"flowers17"`, zero-shot for the other names, and for any other data what its
            own split is, or zero-shot where it has none.
        split: `"train"`, `"gallery"`, `"query"` or `"all"`. Defaults to `"train"`.
        seed: int, of photographs dealt. Defaults to `0`.
        missing_images: `"error"` or `"skip"`, see `open_dataset`. Defaults to `"error"`.

    Returns:
        An `ImageSet` with `ids`, `labels` (int32), `class_names` and `read(i)`, which gives
        encoded bytes.

    Raises:
        UserError: if the dataset is not known or not found, with the files expected.

    Example:

    >>> nfl.data.load("blooms", split="train")
    ImageSet(960 photographs of 20 classes)
    """
    dataset = open_dataset(name_or_folder, data_dir, missing_images)
    return dataset.split(split, protocol, seed)


def open_dataset(name_or_folder, data_dir=None, missing_images="error"):
    """Loads the index of a whole dataset, to be split as often as one likes.

    Args:
        name_or_folder: str or path. `"blooms"`, flowers that the package draws itself;
            `"flowers17"`, `"cars196"`, `"cub200_2011"` or `"stanford_online_products"`; a folder
            with one folder of photographs per class; a `.csv` or `.parquet` file with the
            columns path, label and, if it likes, split; or the name of any dataset for image
            classification that TFDS has prepared, `"tfds:NAME"` to mean nothing else.
        data_dir: str, where a named dataset lies; for those of TFDS, TFDS' own folder. Defaults
            to `None`: `"flowers17"` is then downloaded, others are looked for in TFDS' default
            folder.
        missing_images: `"error"`, or `"skip"` to leave out photographs that are listed but have
            no file; the protocol then says in part of how many. Defaults to `"error"`.

    Returns:
        A `Dataset`.

    Raises:
        UserError: if the dataset is not known or not found, with the files expected, or a
            named one is not of its size.
    """
    name = os.fspath(name_or_folder)
    if missing_images not in ("error", "skip"):
        raise UserError(f"missing_images must be 'error' or 'skip', not {missing_images!r}.")
    if name in BENCHMARKS:
        return open_benchmark(name, data_dir, missing_images)
    if name.startswith("tfds:"):
        whole = tfds_dataset(name.removeprefix("tfds:"), data_dir)
    elif name.lower().endswith(TABLES):
        whole = table(name, missing_images)
    elif os.path.isdir(name) or os.path.isabs(name) or name.startswith("."):
        whole = folder(name)
    elif _is_prepared(name, data_dir) or can_be_prepared(name):
        whole = tfds_dataset(name, data_dir)
    elif os.sep in name:
        whole = folder(name)
    else:
        raise UserError(
            f"there is no dataset, folder or table {name!r}, and TFDS knows none of that name; "
            f"give {', '.join(BENCHMARKS)}, a folder with one folder of photographs per class, a "
            f"{' or '.join(TABLES)} file, or the name of a dataset that TFDS has prepared."
        )
    return Dataset(whole, own_protocol(whole) or "zero-shot")


def _is_prepared(name, data_dir):
    try:
        return find_prepared([name], data_dir) is not None
    except UserError:  # no name that TFDS could have given
        return False
