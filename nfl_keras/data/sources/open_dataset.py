"""Defines how a dataset is opened by its name, folder or table, and how a split is loaded."""

import os

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol, own_protocol
from nfl_keras.data.sources.benchmarks import BENCHMARKS, open_benchmark
from nfl_keras.data.sources.folder import folder
from nfl_keras.data.sources.table import table
from nfl_keras.data.sources.table_columns import SUFFIXES as TABLES
from nfl_keras.data.sources.tfds_builder import can_be_prepared, find_prepared
from nfl_keras.data.sources.tfds_dataset import tfds_dataset
from nfl_keras.data.sources.without_missing import MissingImages
from nfl_keras.data.split_set import Split
from nfl_keras.errors import UserError
from nfl_keras.typing import Path


def load(
    name_or_folder: Path,
    data_dir: Path | None = None,
    protocol: Protocol | None = None,
    split: Split = "train",
    seed: int = 0,
    missing_images: MissingImages = "error",
) -> ImageSet:
    """Loads one split of a dataset.

    Args:
        name_or_folder: str or path, see `open_dataset`.
        data_dir: str or path, see `open_dataset`. Defaults to `None`.
        protocol: `"fine-grained"` or `"zero-shot"`, see `nfl_keras.data.split_set`. Defaults
            to `None`: the dataset's usual protocol. It is fine-grained with 40 / 25 / 15
            photographs per class for `"flowers17"`, and zero-shot for the other names. For other
            data it is the protocol of its own split, or zero-shot without one.
        split: `"train"`, `"gallery"`, `"query"` or `"all"`. Defaults to `"train"`.
        seed: int, by which photographs are dealt to splits. Defaults to `0`.
        missing_images: `"error"` or `"skip"`, see `open_dataset`. Defaults to `"error"`.

    Returns:
        An `ImageSet` with `ids`, `labels` (int32), `class_names` and `read(i)`, which returns
        encoded bytes.

    Raises:
        UserError: if the dataset is unknown or not found. The message shows the expected files.

    Example:

    >>> nfl.data.load("blooms", split="train")
    ImageSet(960 photographs of 20 classes)
    """
    dataset = open_dataset(name_or_folder, data_dir, missing_images)
    return dataset.split(split, protocol, seed)


def open_dataset(
    name_or_folder: Path,
    data_dir: Path | None = None,
    missing_images: MissingImages = "error",
) -> Dataset:
    """Opens a whole dataset, from which any number of splits can be taken.

    Args:
        name_or_folder: str or path. `"blooms"`, flowers that the package draws itself;
            `"flowers17"`, `"cars196"`, `"cub200_2011"`, `"stanford_online_products"` or
            `"in_shop"`; a folder with one folder of photographs per class, perhaps below folders of
            splits; a `.csv`, `.tsv` or `.parquet` file with the columns `path`, `label`, and
            optionally `split`; or the name of any dataset for image classification that TFDS has
            prepared.
            `"tfds:NAME"` is never a folder or a table.
        data_dir: str or path, the folder of a named dataset, or TFDS' folder for a dataset of
            TFDS. Defaults to `None`: `"flowers17"` is downloaded, others are searched in TFDS'
            default folder.
        missing_images: `"error"`, or `"skip"` to leave out photographs that are listed but have
            no file. The description then says how many exist. Defaults to `"error"`.

    Returns:
        A `Dataset`.

    Raises:
        UserError: if the dataset is unknown or not found, or a named dataset has other counts
            than it must have. The message shows the expected files.

    Example:

    >>> dataset = nfl.data.open_dataset("blooms")
    >>> dataset.split("query")
    ImageSet(960 photographs of 20 classes)
    """
    name = os.path.expanduser(name_or_folder)
    data_dir = None if data_dir is None else os.path.expanduser(data_dir)
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
            f"there is no dataset, folder or table {name!r}, and TFDS knows no dataset of that "
            f"name; give {', '.join(BENCHMARKS)}, a folder with one folder of photographs per "
            f"class, a {' or '.join(TABLES)} file, or the name of a dataset that TFDS has prepared."
        )
    return Dataset(whole, own_protocol(whole) or "zero-shot")


def _is_prepared(name: str, data_dir: Path | None) -> bool:
    try:
        return find_prepared([name], data_dir) is not None
    except UserError:  # TFDS has no dataset of that name.
        return False
