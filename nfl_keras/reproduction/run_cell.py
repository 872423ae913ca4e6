"""Defines how one cell of a table is measured, in a run of one split and one seed."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import keras

from nfl_keras.errors import UserError
from nfl_keras.files import write_whole
from nfl_keras.reproduction.describe_splits import describe_splits
from nfl_keras.reproduction.plan import PlannedRow
from nfl_keras.training.config import TrainConfig, dump_config, load_config
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.train_run import resume_run, train_run


@dataclasses.dataclass(frozen=True, order=True)
class Cell:
    """One split and one seed.

    Args:
        seed: int, of weights, batches and noise.
        split: int, seed of the split.
    """

    seed: int
    split: int


def cells_of(row: PlannedRow, splits: int, seeds: Sequence[int]) -> list[Cell]:
    """Lists the cells of a row, seed by seed. What is not trained has one seed."""
    seeds = seeds if row.method.descriptor is None else seeds[:1]
    return [Cell(seed, split) for seed in seeds for split in range(splits)]


def run_folder(row: PlannedRow, cell: Cell) -> RunFolder:
    """Returns the folder of a cell's run."""
    return RunFolder(row.folder / f"split-{cell.split}-seed-{cell.seed}")


def finished_runs(row: PlannedRow) -> list[RunFolder]:
    """Returns the folders of a row's runs that are finished, those that chose settings first."""
    folders = [RunFolder(path) for path in sorted(row.folder.glob("split-*"))]
    finished = [folder for folder in folders if folder.finished]
    return sorted(finished, key=lambda folder: folder.choice() is None)


def run_cell(row: PlannedRow, cell: Cell, cells: Sequence[Cell]) -> dict[str, Any]:
    """Measures a cell, unless a former call has, and resumes its run if one was stopped.

    The first of a row's runs may choose settings (`refit`); later ones take what it chose.

    Args:
        row: `PlannedRow`.
        cell: `Cell`.
        cells: sequence of `Cell`, all of the row.

    Returns:
        Dict with what the run wrote to `metrics.json`.

    Raises:
        UserError: if the folder holds runs of other settings, or the run fails.
        SystemExit: with code 0 after SIGTERM, when a checkpoint is written.
    """
    _check_plan(row)
    folder = run_folder(row, cell)
    if folder.finished:
        return folder.metrics()
    if row.method.descriptor is not None:
        folders = {c.split: run_folder(row, c) for c in cells}
        unfinished = {split: folder for split, folder in folders.items() if not folder.finished}
        describe_splits(row.method.descriptor, row.config, unfinished)
    elif folder.exists:
        resume_run(folder.path)
    else:
        train_run(_config(row, cell))
    keras.utils.clear_session()
    return folder.metrics()


def _config(row: PlannedRow, cell: Cell) -> TrainConfig:
    config, paths = row.config, {}
    others = finished_runs(row)
    if others:
        paths = {name: row.config.settings()[name] for name in _PATHS}
        config = others[0].config()
    path = str(run_folder(row, cell).path)
    return config.replace(seed=cell.seed, split_seeds=[cell.split], run_dir=path, **paths)


_PATHS = ("backbone", "data_dir", "white_balance_parameters", "cache_dir")


def _check_plan(row: PlannedRow) -> None:
    """Writes the settings of a row's runs beside them, or checks that they are the same."""
    path = row.folder / "plan.yaml"
    backbone = pathlib.PurePath(row.config.embedder.backbone).name
    plan = row.config.replace(**{**dict.fromkeys(_PATHS), "backbone": backbone})
    if not path.exists():
        row.folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, dump_config(plan))
    elif load_config(path.read_text(encoding="utf-8")) != plan:
        raise UserError(
            f"{str(row.folder)!r} holds runs of other settings; remove it, or name another folder "
            f"with --runs."
        )
