"""Defines the datasets that have a name, with their known counts."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.cars196 import cars196
from nfl_keras.data.sources.cub200_2011 import cub200_2011
from nfl_keras.data.sources.flowers17 import flowers17
from nfl_keras.data.sources.in_shop import in_shop
from nfl_keras.data.sources.stanford_online_products import stanford_online_products
from nfl_keras.data.sources.without_missing import MissingImages
from nfl_keras.data.split_set import Counts
from nfl_keras.errors import UserError
from nfl_keras.typing import Path


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A dataset that has a name, its usual protocol, and its known counts.

    Args:
        read: function from `data_dir` and `missing_images` to the `ImageSet` of all photographs.
        protocol: `"fine-grained"` or `"zero-shot"`, the dataset's usual protocol.
        size: `(classes, photographs)` of the whole dataset.
        counts: dict from protocol to `((classes, photographs) to train, ... to test)`.
        per_class: three ints, see `split_set`. Defaults to `None`.
        num_queries: int, photographs that search a gallery of others, by the dataset's own split.
            Defaults to `0`.
    """

    read: Callable[..., ImageSet]
    protocol: Protocol
    size: tuple[int, int]
    counts: Mapping[str, Counts]
    per_class: tuple[int, int, int] | None = None
    num_queries: int = 0


BENCHMARKS: dict[str, Benchmark] = {
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
    "in_shop": Benchmark(
        in_shop,
        "zero-shot",
        (7_982, 52_712),
        {"zero-shot": ((3_997, 25_882), (3_985, 26_830))},
        num_queries=14_218,
    ),
}


def open_benchmark(name: str, data_dir: Path | None, missing_images: MissingImages) -> Dataset:
    """Opens a dataset of `BENCHMARKS` and checks its counts.

    Args:
        name: str, a key of `BENCHMARKS`.
        data_dir: str, path or `None`, see `open_dataset`.
        missing_images: `"error"` or `"skip"`, see `open_dataset`.

    Returns:
        A `Dataset`.

    Raises:
        UserError: if the dataset is not found, or has other counts than it must have.
    """
    benchmark = BENCHMARKS[name]
    whole = benchmark.read(data_dir, missing_images)
    classes, photographs = benchmark.size
    if missing_images == "skip" and len(whole) < photographs:
        return Dataset(whole, benchmark.protocol, benchmark.per_class)
    if (whole.num_classes, len(whole)) != benchmark.size:
        raise UserError(
            f"{name} has {photographs:,} photographs of {classes:,} classes, but {len(whole):,} of "
            f"{whole.num_classes:,} are found; complete it, or train on the part "
            f"that exists by missing_images = skip."
        )
    num_queries = 0 if whole.own_split is None else np.count_nonzero(whole.own_split == "query")
    if num_queries != benchmark.num_queries:
        raise UserError(
            f"{name} has {benchmark.num_queries:,} queries with a gallery of others, but "
            f"{num_queries:,} are found; get the dataset again."
        )
    return Dataset(whole, benchmark.protocol, benchmark.per_class, benchmark.counts)
