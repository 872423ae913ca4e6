"""The tables of the papers: their published figures, and what of them can be run."""

import pytest

from nfl_keras.errors import UserError
from nfl_keras.models.recipes import RECIPES
from nfl_keras.reproduction.baselines import BASELINES
from nfl_keras.reproduction.descriptors import DESCRIPTORS
from nfl_keras.reproduction.method import METHODS
from nfl_keras.reproduction.tables import TABLES, find_table

# Printed in the papers, one of each table.
PRINTED = [
    ("nifl-table-2", "flowers17", "NIFL (R18)", "split 3", 0.959),
    ("nifl-table-3", "flowers17", "NIFL (R18)", "crocus", 0.8876),
    ("nifl-table-4", "flowers17", "Kumar et al. 2020", "sunflower", 0.991),
    ("nifl-table-5", "cars196", "LBP", "mAP", 0.011),
    ("nifl-table-6", "cars196", "SCDA (Wei et al.)", "mAP@5", 0.5911),
    ("nifl-table-7", "cars196", "L_N + L_S", "mAP@2", 0.8229),
    ("nifl-table-8", "cars196", "L_D + L_N + L_S", "accuracy", 0.8738),
    ("nifl-table-9", "cub200_2011", "L_D + L_N", "Recall@8", 0.8946),
    ("nifl-table-10", "cars196", "NIFL (R101) 2048-d", "Recall@1", 0.9133),
    ("nifl-table-10", "cub200_2011", "HSE-PA", "Recall@4", 0.871),
    ("nifl-table-11", "stanford_online_products", "SGSL 2048-d", "Recall@100", 0.97),
    ("nafl-table-1", "cub200_2011", "L_inter", "accuracy", 0.8153),
    ("nafl-table-2", "cars196", "L_inter + L_intra", "Recall@2", 0.9012),
    ("nafl-table-3", "cub200_2011", "NAFL + SSL (R50)", "Recall@16", 0.968),
]


@pytest.mark.parametrize(("name", "dataset", "row", "column", "figure"), PRINTED)
def test_published_figures(name, dataset, row, column, figure):
    assert TABLES[name].published[dataset][row][column] == pytest.approx(figure, abs=1e-9)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_table_agrees_with_itself(table):
    assert set(table.published) == (set(table.datasets) if "-table-" in table.name else set())
    for rows in table.published.values():
        assert set(table.rows) <= set(rows)
        for figures in rows.values():
            assert figures
            assert set(figures) <= set(table.columns)
            assert all(0 < figure <= 1 for figure in figures.values())
    for names in table.claims:
        assert set(names) <= {*table.rows, *table.others}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_the_frozen_backbone_is_a_row_wherever_nothing_is_classified(table):
    methods = {row.method for row in (*table.rows.values(), *table.others.values())}
    assert ("frozen" in methods) == (table.columns != ("accuracy",))


def test_every_paper_figure_and_table_is_there():
    of_nifl = {f"nifl-table-{n}" for n in range(2, 12)} | {f"nifl-figure-{n}" for n in (3, 5, 6)}
    of_nafl = {f"nafl-table-{n}" for n in (1, 2, 3)} | {f"nafl-figure-{n}" for n in (4, 5, 6, 7)}
    assert set(TABLES) == of_nifl | of_nafl


def test_every_method_is_run_by_a_table():
    rows = [row for table in TABLES.values() for row in {**table.rows, **table.others}.values()]
    assert {row.method for row in rows} == set(METHODS)
    assert {row.method for row in BASELINES.values()} <= set(METHODS)


@pytest.mark.parametrize("method", METHODS.values(), ids=list(METHODS))
def test_a_method_is_a_recipe_or_a_descriptor(method):
    assert (method.recipe in RECIPES) != (method.descriptor in DESCRIPTORS)


def test_an_unknown_table_is_named():
    with pytest.raises(UserError, match=r"no table 'nifl-table-99'; choose one of nifl-table-2, "):
        find_table("nifl-table-99")
