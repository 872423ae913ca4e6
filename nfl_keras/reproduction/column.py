"""Defines where a table's figures stand in what a run has measured."""

from collections.abc import Mapping
from typing import Any

from nfl_keras.data.sources.flowers17 import CLASS_NAMES
from nfl_keras.reproduction.run_cell import Cell

_AT_K = {"Recall": "recall_at", "mAP": "map_at_hits"}


def figures_of(column: str, metrics: Mapping[Cell, Mapping[str, Any]]) -> dict[Cell, float]:
    """Returns the figures of a column, of the cells that have it.

    Args:
        column: str, see `Table`.
        metrics: mapping from cells to what their runs wrote to `metrics.json`.

    Returns:
        Dict from `Cell` to float.
    """
    of_split = int(column.removeprefix("split ")) - 1 if column.startswith("split ") else None
    found = {
        cell: _figure(column, of_run)
        for cell, of_run in metrics.items()
        if of_split in (None, cell.split)
    }
    return {cell: value for cell, value in found.items() if value is not None}


def _figure(column: str, metrics: Mapping[str, Any]) -> float | None:
    trained = metrics["trained"]
    if column == "mAP" or column.startswith("split "):
        return trained["map"]
    if column == "accuracy":
        return metrics.get("accuracy")
    name, at, k = column.partition("@")
    if at:
        return trained[_AT_K[name]].get(k)
    return trained["per_class_map"].get(str(CLASS_NAMES.index(column)))
