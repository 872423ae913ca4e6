"""Defines how all rows of a table are measured."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nfl_keras.errors import UserError
from nfl_keras.reproduction.plan import PlannedRow
from nfl_keras.reproduction.run_cell import Cell, cells_of, run_cell


@dataclasses.dataclass
class MeasuredRow:
    """What the runs of a row have measured.

    Args:
        planned: `PlannedRow`.
        metrics: dict from cells to what their runs wrote to `metrics.json`. Defaults to none.
        problem: str, why cells are lacking. Defaults to `""`.
    """

    planned: PlannedRow
    metrics: dict[Cell, dict[str, Any]] = dataclasses.field(default_factory=dict)
    problem: str = ""


def measure_rows(
    rows: Sequence[PlannedRow], splits: int, seeds: Sequence[int]
) -> list[MeasuredRow]:
    """Measures the cells of rows, all rows of one seed and split before those of the next.

    A run that fails ends its row, not the others.

    Args:
        rows: sequence of `PlannedRow`.
        splits: int, random splits of the photographs.
        seeds: sequence of int.

    Returns:
        List of `MeasuredRow`, in the order of `rows`.

    Raises:
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    measured = [MeasuredRow(row) for row in rows]
    cells = [cells_of(row, splits, seeds) for row in rows]
    plan = [(cell, number) for number, of_row in enumerate(cells) for cell in of_row]
    for done, (cell, number) in enumerate(sorted(plan)):
        row = measured[number]
        name = f"{row.planned.name}, split {cell.split}, seed {cell.seed}"
        if row.problem:
            continue
        try:
            row.metrics[cell] = run_cell(row.planned, cell, cells[number])
        except UserError as error:
            row.problem = str(error)
            print(f"[{done + 1}/{len(plan)}] {name}: {error}", flush=True)
            continue
        trained = row.metrics[cell]["trained"]
        figures = f"Recall@1 {trained['recall_at']['1']:.4f}  mAP {trained['map']:.4f}"
        print(f"[{done + 1}/{len(plan)}] {name}: {figures}", flush=True)
    return measured
