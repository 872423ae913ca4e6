"""Which runs a table needs."""

import pathlib

import pytest

from nfl_keras.errors import UserError
from nfl_keras.reproduction.budgets import RATE_FACTORS
from nfl_keras.reproduction.plan import Place, plan_rows
from nfl_keras.reproduction.tables import TABLES
from nfl_keras.training.config.read_config import read_config

PLACE = Place(pathlib.Path("runs"), {"cars196": "cars"}, "weights/efficientnet_lite0_imagenet")


def plan(name, dataset, budget="small", place=PLACE, **settings):
    return {r.name: r for r in plan_rows(TABLES[name], dataset, budget, place, **settings)}


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_the_papers_settings_are_there_for_every_table(table):
    for dataset in table.datasets:
        rows = plan_rows(table, dataset, "paper", Place(pathlib.Path("runs")))
        assert {r.name for r in rows} >= set(table.rows)
        for row in rows:
            assert row.config.data.dataset == dataset
            assert row.config.data.protocol == table.protocol


def test_rows_differ_in_their_method_alone():
    rows = plan("nifl-table-10", "cars196")
    ours, triplet = rows["NIFL"].config, rows["triplet, hard"].config
    for section in ("data", "optimizer", "evaluation", "run"):
        assert getattr(ours, section) == getattr(triplet, section)
    assert ours.recipe.settings["lambda_n"] == 0.1  # of the packaged config
    assert triplet.recipe.settings["mining"] == "hard"
    assert triplet.embedder == ours.embedder
    rate = read_config(["--config", "cars196_part"]).optimizer.learning_rate
    assert ours.evaluation.refit_rates == [pytest.approx(f * rate) for f in RATE_FACTORS]
    assert ours.data.data_dir == "cars"


def test_an_ablation_leaves_out_its_terms_alone():
    rows = plan("nifl-table-9", "cars196")
    whole = rows["L_D + L_N + L_S"].config.recipe.settings
    part = rows["L_D + L_N"].config.recipe.settings
    assert {name for name in whole if whole[name] != part[name]} == {"lambda_s"}
    assert part["lambda_s"] == 0


def test_a_method_of_several_tables_has_one_folder():
    ablation, whole = plan("nifl-table-9", "cars196"), plan("nifl-table-10", "cars196")
    assert ablation["L_D + L_N + L_S"].folder == whole["NIFL"].folder
    assert ablation["L_D + L_N + L_S"].config == whole["NIFL"].config
    # A baseline that the paper has under another name is no second row.
    assert "triplet, semi-hard" not in whole
    assert len({row.folder for row in whole.values()}) == len(whole)


def test_rows_of_the_papers_networks_need_its_budget():
    assert "NIFL (R50) 512-d" not in plan("nifl-table-10", "cars196")
    rows = plan("nifl-table-10", "cars196", "paper", Place(pathlib.Path("runs")))
    assert rows["NIFL (R101) 2048-d"].config.embedder.backbone == "resnet_101_imagenet"
    assert rows["NIFL (R50) 512-d"].config.embedder.embedding_dim == 512
    assert rows["NIFL (R50) 512-d"].config.embedder.backbone == "resnet_50_imagenet"


def test_another_network_has_pixels_and_layers_of_its_own():
    [row] = plan_rows(
        TABLES["nifl-table-9"],
        "cars196",
        "small",
        Place(pathlib.Path("runs"), backbone="vit"),
        ["L_D"],
    )
    embedder = row.config.embedder
    assert (embedder.pixel_scale, embedder.freeze_through) == (None, None)
    assert row.config.data.cache_views == 0
    assert row.folder.parent.name == "cars196_part-zero-shot-vit"


def test_what_has_no_settings_is_named():
    with pytest.raises(UserError, match=r"fine-grained cars196.*--dataset flowers17"):
        plan("nifl-table-7", "cars196")
    with pytest.raises(UserError, match="nifl-table-9 has no settings of the paper for in_shop"):
        plan("nifl-table-9", "in_shop", "paper")
