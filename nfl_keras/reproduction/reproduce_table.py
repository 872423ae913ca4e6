"""Defines how a table is measured and written."""

import pathlib
from collections.abc import Sequence

from nfl_keras.data import open_dataset
from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.report import (
    Comparison,
    markdown_of_comparisons,
    write_comparison,
    write_figures,
)
from nfl_keras.reproduction.budgets import BudgetName, find_base
from nfl_keras.reproduction.compare import compare
from nfl_keras.reproduction.measure_rows import measure_rows
from nfl_keras.reproduction.plan import Place, PlannedRow, plan_rows
from nfl_keras.reproduction.run_cell import cells_of, run_folder
from nfl_keras.reproduction.table import Table
from nfl_keras.training.build_model import build_embedder
from nfl_keras.training.splits import Splits


def reproduce_table(
    table: Table,
    datasets: Sequence[str],
    budget: BudgetName,
    seeds: Sequence[int],
    place: Place,
    only: Sequence[str] = (),
) -> list[pathlib.Path]:
    """Measures the rows of a table, and writes it beside the paper's: Markdown, HTML, charts.

    What former calls have measured in the same folder is not measured again. A dataset whose
    photographs or weights are absent is left out, and the table says which.

    Args:
        table: `Table`.
        datasets: sequence of str.
        budget: `"paper"` or `"small"`, see `find_base`.
        seeds: sequence of int.
        place: `Place`.
        only: sequence of str, the rows to measure. Defaults to all.

    Returns:
        List of the paths written.

    Raises:
        UserError: if the folder of the runs cannot be used.
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    comparisons = [_compared(table, name, budget, seeds, place, only) for name in datasets]
    summary = f"The paper: {table.setting}."
    markdown = markdown_of_comparisons(table.title, summary, comparisons, table.name)
    print(f"\n{markdown}", flush=True)
    page = place.runs / f"{table.name}.html"
    return [
        write_whole(place.runs / f"{table.name}.md", markdown),
        write_comparison(page, title=table.title, summary=summary, comparisons=comparisons),
        *write_figures(place.runs, table.name, comparisons),
    ]


def _compared(
    table: Table,
    dataset: str,
    budget: BudgetName,
    seeds: Sequence[int],
    place: Place,
    only: Sequence[str],
) -> Comparison:
    try:
        base = find_base(table, dataset, budget)
        rows = plan_rows(table, dataset, budget, place, only)
        _check(rows, base.splits, seeds)
    except UserError as error:
        print(f"{dataset}: {error}", flush=True)
        return compare(table, dataset, None, [], str(error))
    measured = measure_rows(rows, base.splits, seeds)
    return compare(table, dataset, base, measured)


def _check(rows: Sequence[PlannedRow], splits: int, seeds: Sequence[int]) -> None:
    """Opens photographs and network, unless nothing is left to measure."""
    unfinished = [
        row
        for row in rows
        if any(not run_folder(row, cell).finished for cell in cells_of(row, splits, seeds))
    ]
    if unfinished:
        config = unfinished[0].config
        data = config.data
        Splits.of(open_dataset(data.dataset, data.data_dir, data.missing_images), config)
        build_embedder(config)
