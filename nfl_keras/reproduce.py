"""`nfl-keras reproduce TABLE`: measures a table of the papers anew."""

import argparse
import pathlib
from collections.abc import Sequence

from nfl_keras.errors import UserError, exit_on_user_error


def main(
    arguments: Sequence[str] | None = None, prog: str = "python -m nfl_keras.reproduce"
) -> None:
    """Runs the command.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Measures a table or a figure of the papers by training runs, and writes it "
        "beside the paper's figures. Runs that are finished are not repeated, and one that was "
        "stopped is resumed.",
    )
    parser.add_argument("tables", metavar="TABLE", nargs="*", help="names as --list prints them")
    parser.add_argument("--list", action="store_true", help="list the tables and end")
    parser.add_argument(
        "--dataset",
        nargs="+",
        metavar="NAME",
        help="datasets to measure (default: those of the table)",
    )
    parser.add_argument(
        "--budget",
        choices=("paper", "small"),
        default="paper",
        help="the paper's settings, for a GPU; or small: a part of Cars-196 or Flowers-17 and a "
        "network whose last layers are trained, where each method chooses its learning rate "
        "(default: paper)",
    )
    parser.add_argument("--backbone", help="network in the place of the settings' own")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="(default: 0 1 2)")
    parser.add_argument(
        "--rows", nargs="+", metavar="ROW", default=[], help="rows to measure (default: all)"
    )
    parser.add_argument(
        "--data-dir",
        nargs="+",
        default=[],
        metavar="NAME=FOLDER",
        help="folders of datasets, such as cars196=photographs/cars (default: as for train)",
    )
    parser.add_argument("--white-balance-parameters", metavar="FOLDER", help="as for train")
    parser.add_argument(
        "--runs",
        type=pathlib.Path,
        default=pathlib.Path("runs", "reproduce"),
        help="folder of the runs and of the tables (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    with exit_on_user_error():
        from nfl_keras.reproduction.tables import find_table

        if given.list:
            _print_tables()
            return
        if not given.tables:
            raise UserError("name a table, such as nifl-table-9; --list names all.")
        tables = [find_table(name) for name in given.tables]
        _check_rows(tables, given.rows)
        folders = _folders(given.data_dir)
        # Imported after `--help` and mistakes have been answered, since TensorFlow takes long.
        from nfl_keras.reproduction.plan import Place
        from nfl_keras.reproduction.reproduce_table import reproduce_table

        place = Place(given.runs, folders, given.backbone, given.white_balance_parameters)
        for table in tables:
            datasets = given.dataset or table.datasets
            paths = reproduce_table(table, datasets, given.budget, given.seeds, place, given.rows)
            print(f"written: {', '.join(map(str, paths))}")


def _print_tables() -> None:
    from nfl_keras.reproduction.budgets import small_datasets
    from nfl_keras.reproduction.tables import TABLES

    width = max(map(len, TABLES))
    for name, table in TABLES.items():
        small = " or ".join(small_datasets(table))
        print(f"{name:<{width}}  {table.title}")
        print(f"{'':<{width}}  {', '.join(table.datasets)}; with --budget small: {small}")


def _check_rows(tables: Sequence, rows: Sequence[str]) -> None:
    known = list(dict.fromkeys(n for t in tables for n in (*t.rows, *t.others)))
    for row in rows:
        if row not in known:
            raise UserError(f"there is no row {row!r}; choose some of {', '.join(known)}.")


def _folders(given: Sequence[str]) -> dict[str, str]:
    folders = {}
    for pair in given:
        name, equals, folder = pair.partition("=")
        if not (name and equals and folder):
            raise UserError(f"--data-dir takes NAME=FOLDER, such as cars196=cars, not {pair!r}.")
        folders[name] = folder
    return folders


if __name__ == "__main__":
    main()
