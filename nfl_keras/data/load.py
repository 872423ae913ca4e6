"""One door to every dataset."""

import dataclasses
import os
from collections.abc import Callable, Mapping

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocols import own_protocol
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.cars196 import cars196
from nfl_keras.data.sources.cub200_2011 import cub200_2011
from nfl_keras.data.sources.flowers17 import flowers17
from nfl_keras.data.sources.folder import folder
from nfl_keras.data.sources.prepared import find_prepared, is_listed, prepared
from nfl_keras.data.sources.stanford_online_products import stanford_online_products
from nfl_keras.data.sources.table import SUFFIXES as TABLES
from nfl_keras.data.sources.table import table
from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A dataset that has a name, and what it must count.

    Args:
        read: function from `data_dir` and `missing_images` to the `ImageSet` of all of it.
        protocol: `"fine-grained"` or `"zero-shot"`, its usual one.
        size: `(classes, photographs)` of all of it.
        counts: dict from protocol to `((classes, photographs) to train, ... to test)`.
        per_class: three ints, see `split_set`. Defaults to `None`.
    """

    read: Callable[..., ImageSet]
    protocol: str
    size: tuple[int, int]
    counts: Mapping
    per_class: tuple[int, int, int] | None = None


BENCHMARKS = {
    "blooms": Benchmark(
        lambda data_dir, missing_images: blooms(),
        "zero-shot",
        (40, 1_920),
        {"zero-shot": ((20, 960), (20, 960)), "fine-grained": ((40, 960), (40, 960))},
    ),
    "flowers17": Benchmark(
        flowers17,
        "fine-grained",
        (17, 1_360),
        {"zero-shot": ((8, 640), (9, 720)), "fine-grained": ((17, 680), (17, 680))},
        per_class=(40, 25, 15),
    ),
    "cars196": Benchmark(
        cars196,
        "zero-shot",
        (196, 16_185),
        {"zero-shot": ((98, 8_054), (98, 8_131)), "fine-grained": ((196, 8_144), (196, 8_041))},
    ),
    "cub200_2011": Benchmark(
        cub200_2011,
        "zero-shot",
        (200, 11_788),
        {"zero-shot": ((100, 5_864), (100, 5_924)), "fine-grained": ((200, 5_994), (200, 5_794))},
    ),
    "stanford_online_products": Benchmark(
        stanford_online_products,
        "zero-shot",
        (22_634, 120_053),
        {"zero-shot": ((11_318, 59_551), (11_316, 60_502))},
    ),
}


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
        return _open_benchmark(name, data_dir, missing_images)
    if name.startswith("tfds:"):
        whole = prepared(name.removeprefix("tfds:"), data_dir)
    elif name.lower().endswith(TABLES):
        whole = table(name, missing_images)
    elif os.path.isdir(name) or os.path.isabs(name) or name.startswith("."):
        whole = folder(name)
    elif _is_prepared(name, data_dir) or is_listed(name):
        whole = prepared(name, data_dir)
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


def _open_benchmark(name, data_dir, missing_images):
    benchmark = BENCHMARKS[name]
    whole = benchmark.read(data_dir, missing_images)
    classes, photographs = benchmark.size
    if missing_images == "skip" and len(whole) < photographs:
        return Dataset(whole, benchmark.protocol, benchmark.per_class)
    if (len(whole.class_names), len(whole)) != benchmark.size:
        raise UserError(
            f"{name} has {photographs:,} photographs of {classes:,} classes, but {len(whole):,} of "
            f"{len(whole.class_names):,} are found; complete it, or train on a part of it by "
            f"missing_images = skip."
        )
    return Dataset(whole, benchmark.protocol, benchmark.per_class, benchmark.counts)
