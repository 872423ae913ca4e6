"""Defines a table or a figure of the papers."""

import csv
import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any, Literal

PUBLISHED = pathlib.Path(__file__).parent / "published"


@dataclasses.dataclass(frozen=True)
class Row:
    """A row that can be run.

    Args:
        method: str, a name in `METHODS`.
        settings: mapping of settings that this row changes, by the names of their flags. Defaults
            to none.
        network: str, of a row of one network of the paper, such as `"r50"`. Only the budget
            `"paper"` runs it. Defaults to `None`.
    """

    method: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    network: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table or a figure of the papers.

    Args:
        name: str, such as `"nifl-table-9"`.
        title: str.
        setting: str, how the paper measured it.
        protocol: `"zero-shot"` or `"fine-grained"`.
        datasets: tuple of str, of the paper.
        columns: tuple of str, the figures: `"Recall@k"`, `"mAP"`, `"mAP@k"` (divided by the hits),
            `"accuracy"`, `"split i"` (mAP of one split, from 1), or a class (its mAP).
        rows: mapping from the row's name to the `Row`, in the paper's order. Rows that the paper
            has and that are not named here are published, and not run.
        others: mapping of the same kind, of methods that the paper does not have there. Defaults
            to none.
        claims: tuple of `(better, worse)`, names of rows that the paper puts in this order.
            Defaults to none.
        slips: tuple of str, what is wrong in the paper's table. Defaults to none.
        network: str, the paper's network of rows that name none. Defaults to `"r18"`.
        is_figure: bool, whether the paper draws it. Defaults to `False`.
    """

    name: str
    title: str
    setting: str
    protocol: Literal["zero-shot", "fine-grained"]
    datasets: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Mapping[str, Row]
    others: Mapping[str, Row] = dataclasses.field(default_factory=dict)
    claims: tuple[tuple[str, str], ...] = ()
    slips: tuple[str, ...] = ()
    network: str = "r18"
    is_figure: bool = False

    @property
    def paper(self) -> str:
        """`"nifl"` or `"nafl"`."""
        return self.name.partition("-")[0]

    @functools.cached_property
    def published(self) -> dict[str, dict[str, dict[str, float]]]:
        """The paper's figures, in 0..1, by dataset, row and column."""
        path = PUBLISHED / f"{self.name}.csv"
        figures: dict[str, dict[str, dict[str, float]]] = {}
        if not path.exists():  # The paper prints no numbers of its figures.
            return figures
        with path.open(newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                of_dataset = figures.setdefault(line.pop("dataset"), {})
                name = line.pop("row")
                of_dataset[name] = {c: float(value) for c, value in line.items() if value}
        return figures
