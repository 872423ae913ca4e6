"""Defines which runs a table needs on a dataset."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from nfl_keras.reproduction.budgets import KS, RATE_FACTORS, Base, BudgetName, find_base
from nfl_keras.reproduction.method import METHODS, Method
from nfl_keras.reproduction.table import Row, Table
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.config.read_config import read_config
from nfl_keras.training.config.train_config import settings_of_run


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a table's photographs, weights and runs are.

    Args:
        runs: `pathlib.Path` of the folder of all runs.
        data_dirs: mapping from datasets to their folders. Defaults to none.
        backbone: str, in the place of the config's. Defaults to `None`.
        white_balance_parameters: str, see `DataConfig`. Defaults to `None`.
    """

    runs: pathlib.Path
    data_dirs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    backbone: str | None = None
    white_balance_parameters: str | None = None


@dataclasses.dataclass(frozen=True)
class PlannedRow:
    """The runs of one row.

    Args:
        name: str, of the row.
        method: `Method`.
        config: `TrainConfig` of the first run. It may choose settings, which the others take.
        folder: `pathlib.Path` with one run folder for each split and seed.
        is_extra: bool, whether the paper does not have the row.
    """

    name: str
    method: Method
    config: TrainConfig
    folder: pathlib.Path
    is_extra: bool


def plan_rows(
    table: Table, dataset: str, budget: BudgetName, place: Place, only: Sequence[str] = ()
) -> list[PlannedRow]:
    """Plans the rows of a table that can be run on a dataset.

    A method that is in several rows, or in several tables, has one folder and is run once.

    Args:
        table: `Table`.
        dataset: str.
        budget: `"paper"` or `"small"`, see `find_base`.
        place: `Place`.
        only: sequence of str, the names of the rows to plan. Defaults to all.

    Returns:
        List of `PlannedRow`.

    Raises:
        UserError: if there are no such settings.
    """
    planned: list[PlannedRow] = []
    for name, row in {**table.rows, **table.others}.items():
        if (only and name not in only) or (row.network and budget != "paper"):
            continue
        base = find_base(table, dataset, budget, row.network)
        config = _config(row, base, dataset, place)
        group = f"{base.config}-{table.protocol}-{pathlib.PurePath(config.embedder.backbone).name}"
        folder = place.runs / group / _slug(row)
        is_extra = name not in table.rows
        if not (is_extra and any(folder == p.folder for p in planned)):
            planned.append(PlannedRow(name, METHODS[row.method], config, folder, is_extra))
    return planned


def _slug(row: Row) -> str:
    return "-".join([row.method, *(f"{name}-{value}" for name, value in row.settings.items())])


def _config(row: Row, base: Base, dataset: str, place: Place) -> TrainConfig:
    of_base = read_config(["--config", base.config])
    method = METHODS[row.method]
    recipe = method.recipe or of_base.recipe.name
    of_recipe = of_base
    if recipe != of_base.recipe.name and recipe in base.recipes:
        of_recipe = read_config(["--config", base.recipes[recipe]])
    settings: dict[str, Any] = {
        **_settings(of_base, of_recipe=False),
        "recipe": recipe,
        **(_settings(of_recipe, of_recipe=True) if of_recipe.recipe.name == recipe else {}),
        **base.settings,
        "ks": KS,
        "dataset": dataset,
        "data_dir": place.data_dirs.get(dataset),
        "split_seeds": [0],
    }
    if settings["color"] == "white-balance":
        settings["white_balance_parameters"] = place.white_balance_parameters
    if base.chooses:
        rate = settings["learning_rate"]
        settings["refit_rates"] = [float(f"{factor * rate:.3g}") for factor in RATE_FACTORS]
    if place.backbone is not None:
        if pathlib.PurePath(place.backbone).name != of_base.embedder.backbone:
            # The names of layers and the range of pixels are those of the config's own.
            settings.update(pixel_scale=None, pixel_offset=None, freeze_through=None, cache_views=0)
        settings["backbone"] = place.backbone
    if settings["cache_views"]:
        settings["cache_dir"] = str(place.runs / "cached")
    return TrainConfig.from_settings(**{**settings, **method.settings, **row.settings})


def _settings(config: TrainConfig, of_recipe: bool) -> dict[str, Any]:
    sections = config.sections()
    return {
        setting.name: sections[setting.section][setting.key]
        for setting in settings_of_run(config.recipe.name)
        if (setting.section == "recipe") == of_recipe
    }
