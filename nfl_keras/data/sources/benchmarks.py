"""Defines the datasets that have a name, with their known counts."""

import dataclasses
from collections.abc import Callable, Mapping

from nfl_keras.data.dataset import Dataset
from nfl_keras.data.image_set import ImageSet
from nfl_keras.data.protocol import Protocol
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.data.sources.cars196 import cars196
from nfl_keras.data.sources.cub200_2011 import cub200_2011
from nfl_keras.data.sources.flowers17 import flowers17
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
    """

    read: Callable[..., ImageSet]
    protocol: Protocol
    size: tuple[int, int]
    counts: Mapping[str, Counts]
    per_class: tuple[int, int, int] | None = None


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
    return Dataset(whole, benchmark.protocol, benchmark.per_class, benchmark.counts)
