"""Defines what a table's runs have in common: network, batches, epochs and how they choose."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from nfl_keras.errors import UserError
from nfl_keras.reproduction.table import Table

BudgetName = Literal["paper", "small"]
KS = [1, 2, 3, 4, 5, 8, 10, 16, 100]
RATE_FACTORS = (0.4, 1.0, 2.5)


@dataclasses.dataclass(frozen=True)
class Base:
    """The settings that all methods of a table begin with.

    Args:
        config: str, name of a packaged config.
        recipes: mapping from recipes to the packaged configs whose settings of the recipe are used.
            Other recipes have their defaults. Defaults to none.
        settings: mapping of settings that differ from the config, by the names of their flags.
            Defaults to none.
        splits: int, random splits of the photographs. Defaults to `1`.
        chooses: bool, whether each method chooses its rate among `RATE_FACTORS` times the config's.
            Defaults to `False`.
    """

    config: str
    recipes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    splits: int = 1
    chooses: bool = False


_CHOICE = {"refit": True, "blend": "auto", "evaluate_every": 1, "cache_views": 2}
_FLOWERS = {"noise-assisted": "nafl_flowers17"}
_SMALL = {
    ("cars196", "zero-shot"): Base(
        "cars196_part",
        {"noise-assisted": "nafl_cars196_part"},
        {**_CHOICE, "epochs": 8},
        chooses=True,
    ),
    ("flowers17", "fine-grained"): Base(
        "flowers17",
        _FLOWERS,
        {**_CHOICE, "projection": "pca", "freeze_through": "block6"},
        splits=5,
        chooses=True,
    ),
    ("flowers17", "zero-shot"): Base(
        "flowers17",
        _FLOWERS,
        {
            **_CHOICE,
            "projection": "pca",
            "freeze_through": "block6",
            "learning_rate": 0.0005,
            "classes_per_batch": 4,
            "images_per_class": 12,
            "validation_classes": 4,
            "protocol": "zero-shot",
        },
        chooses=True,
    ),
}
_SPLITS = {"flowers17": 5}
_PAPER = {
    ("nifl", "flowers17", "fine-grained", "r18"): "nifl_flowers17_r18",
    ("nifl", "cars196", "fine-grained", "r18"): "nifl_cars196_fine_grained_r18",
    **{
        ("nifl", dataset, "zero-shot", network): f"nifl_{short}_{network}"
        for dataset, short in (
            ("cars196", "cars196"),
            ("cub200_2011", "cub200"),
            ("stanford_online_products", "sop"),
        )
        for network in ("r18", "r50", "r101")
    },
    **{
        ("nafl", dataset, protocol, "r50"): config
        for dataset, config in (("cars196", "nafl_cars196"), ("cub200_2011", "nafl_cub200"))
        for protocol in ("zero-shot", "fine-grained")
    },
}


def find_base(table: Table, dataset: str, budget: BudgetName, network: str | None = None) -> Base:
    """Returns what the runs of a table on a dataset have in common.

    Args:
        table: `Table`.
        dataset: str.
        budget: `"paper"`, the paper's settings, or `"small"`, a small network of which the last
            layers are trained, on a part of the photographs, at a rate that each method chooses.
        network: str, of a row of one network, such as `"r50"`. Defaults to `None`, the table's.

    Returns:
        A `Base`.

    Raises:
        UserError: if there are no such settings.
    """
    if budget == "small":
        if (dataset, table.protocol) in _SMALL:
            return _SMALL[dataset, table.protocol]
        raise UserError(
            f"budget small has no settings of {table.protocol} {dataset}; it has those of "
            f"--dataset {' or '.join(small_datasets(table))}."
        )
    key = (table.paper, dataset, table.protocol, network or table.network)
    if key not in _PAPER:
        raise UserError(f"{table.name} has no settings of the paper for {dataset}.")
    changes = {"protocol": table.protocol}
    return Base(_PAPER[key], settings=changes, splits=_SPLITS.get(dataset, 1))


def small_datasets(table: Table) -> list[str]:
    """Returns the datasets on which the budget `"small"` can measure a table."""
    return [dataset for dataset, protocol in _SMALL if protocol == table.protocol]
