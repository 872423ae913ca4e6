"""How measured rows become a table, from figures that are written down here."""

import json

import pytest

from nfl_keras.report import markdown_of_comparisons
from nfl_keras.reproduction.budgets import find_base
from nfl_keras.reproduction.column import figures_of
from nfl_keras.reproduction.compare import compare
from nfl_keras.reproduction.measure_rows import MeasuredRow
from nfl_keras.reproduction.plan import Place, plan_rows
from nfl_keras.reproduction.run_cell import Cell, run_folder
from nfl_keras.reproduction.tables import TABLES


def measured(value, **others):
    """What a run writes, as far as a table reads it."""
    trained = {
        "recall_at": {str(k): value + 0.01 * k for k in (1, 2, 4, 8, 16)},
        "map": value,
        "map_at_hits": {"1": value + 0.2},
        "per_class_map": {"4": value + 0.3},
        "protocol": "24 queries",
    }
    return {"trained": trained, "seconds": 60.0, **others}


@pytest.fixture
def rows(tmp_path):
    """Two rows of an ablation with three runs each, and the learning of their first."""
    table = TABLES["nifl-table-9"]
    planned = plan_rows(table, "cars196", "small", Place(tmp_path), ["L_D", "L_D + L_N"])
    values = {"L_D": (0.5, 0.52, 0.54), "L_D + L_N": (0.6, 0.63, 0.64)}
    made = []
    for row in planned:
        metrics = {Cell(seed, 0): measured(v) for seed, v in enumerate(values[row.name])}
        made.append(MeasuredRow(row, metrics))
    return made


def test_means_deviations_and_verdicts(rows):
    table = TABLES["nifl-table-9"]
    comparison = compare(table, "cars196", find_base(table, "cars196", "small"), rows)
    by_name = {row.name: row for row in comparison.rows}
    assert list(by_name) == ["L_D", "L_D + L_N", "L_D + L_S", "L_D + L_N + L_S"]
    assert [bool(row.mean) for row in comparison.rows] == [True, True, False, False]
    row = by_name["L_D"]
    assert row.published == {
        "Recall@1": 0.8397,
        "Recall@2": 0.8976,
        "Recall@4": 0.938,
        "Recall@8": 0.962,
    }
    assert row.mean["Recall@1"] == pytest.approx(0.53)
    assert row.deviation["Recall@8"] == pytest.approx(0.02)
    assert (row.runs, row.seconds) == (3, 60)
    assert by_name["L_D + L_S"].note == "published, not run here"
    # Differences 0.10, 0.11, 0.10: 4.3027 x 0.0057735 / sqrt(3).
    assert comparison.notes[1] == (
        "L_D + L_N above L_D in Recall@1: holds (+0.1033 ± 0.0143, 95 % interval over 3 seeds)."
    )
    assert comparison.notes[2] == "L_D + L_S above L_D in Recall@1: not run."
    assert "efficientnet_lite0_imagenet, 224 pixels, embeddings of 256" in comparison.summary
    assert "seeds 0, 1, 2" in comparison.summary
    assert "24 queries" in comparison.summary
    assert "each method chose its rate of 0.0002, 0.0005, 0.00125" in comparison.summary
    text = markdown_of_comparisons("t", "s", [comparison])
    assert "| Recall@8: paper | ours | mAP | s a run |" in text
    assert "| L_D + L_N | 0.8413 | **0.633 ± 0.021** | 0.9011 |" in text


def learned(planned):
    """Writes what the first run of a row has learned by the rate that it chose."""
    run = run_folder(planned, Cell(0, 0)).path
    chosen = run / "choices" / "rate-0.0005"
    chosen.mkdir(parents=True)
    choice = {"chosen": {"learning_rate": 0.0005, "epochs": 2, "alpha": 0.5}}
    (run / "choice.json").write_text(json.dumps(choice))
    (run / "report.html").touch()
    (chosen / "history.json").write_text(json.dumps({"epoch": [1, 2], "recall@1": [0.2, 0.4]}))
    pace = {"images": [100, 200], "seconds": [5.0, 9.0]}
    (chosen / "metrics.json").write_text(json.dumps({"pace": pace}))


def test_learning_is_drawn_from_the_chosen_rate(tmp_path):
    table = TABLES["nifl-table-10"]
    [planned] = plan_rows(table, "cars196", "small", Place(tmp_path), ["NIFL"])
    row = MeasuredRow(planned, {Cell(0, 0): measured(0.5)})
    learned(planned)
    comparison = compare(table, "cars196", find_base(table, "cars196", "small"), [row])
    assert [panel.heading for panel in comparison.panels] == [
        "Recall@1 against images",
        "Recall@1 against seconds",
    ]
    assert "images 100 to 200: NIFL from 20.0% to 40.0%." in comparison.panels[0].svg
    assert "seconds 5 to 9: NIFL" in comparison.panels[1].svg
    assert "held-out training photographs; photographs seen" in comparison.panels[0].caption
    by_name = {row.name: row for row in comparison.rows}
    assert by_name["NIFL (R50) 512-d"].note == "published, not run here (--budget paper)"
    assert by_name["HSE-PA"].note == "published, not run"
    assert by_name["NIFL"].note == "rate 0.0005, epochs 2, alpha 0.5"


MANY = ["NIFL", "NAFL", "softmax", "SupCon", "EPSHN", "Triplet", "triplet, hard"]


@pytest.mark.parametrize(
    ("name", "names", "drawn"),
    [
        ("nifl-table-9", ["L_D", "L_D + L_N", "frozen backbone"], {"L_D", "L_D + L_N"}),
        ("nifl-table-10", MANY, set(MANY) - {"SupCon", "EPSHN"}),
    ],
)
def test_all_of_a_few_methods_are_drawn_and_of_many_the_papers_own(name, names, drawn, tmp_path):
    table = TABLES[name]
    planned = plan_rows(table, "cars196", "small", Place(tmp_path), names)
    for row in planned:
        if row.method.recipe:
            learned(row)
    rows = [MeasuredRow(row, {Cell(0, 0): measured(0.5)}) for row in planned]
    comparison = compare(table, "cars196", find_base(table, "cars196", "small"), rows)
    svg = comparison.panels[0].svg
    assert {row for row in names if f"{row} from 20.0% to 40.0%" in svg} == drawn


def test_a_figure_has_a_line_for_each_row(tmp_path):
    table = TABLES["nafl-figure-6"]
    planned = plan_rows(table, "cars196", "small", Place(tmp_path), ["no task", "jigsaw"])
    rows = [MeasuredRow(row, {Cell(0, 0): measured(0.5)}) for row in planned]
    for row in rows:
        folder = run_folder(row.planned, Cell(0, 0)).path
        folder.mkdir(parents=True)
        (folder / "report.html").touch()
        (folder / "history.json").write_text(json.dumps({"epoch": [1]}))
        (folder / "metrics.json").write_text(json.dumps({"pace": {"images": [], "seconds": []}}))
    comparison = compare(table, "cars196", find_base(table, "cars196", "small"), rows)
    assert [panel.heading for panel in comparison.panels] == ["Recall@k"]
    assert "no task from 51.0% to 66.0%; jigsaw from" in comparison.panels[0].svg


def test_where_figures_stand():
    metrics = {Cell(0, 0): measured(0.5, accuracy=0.9), Cell(0, 1): measured(0.6)}
    assert figures_of("Recall@16", metrics) == pytest.approx({Cell(0, 0): 0.66, Cell(0, 1): 0.76})
    assert figures_of("mAP", metrics) == {Cell(0, 0): 0.5, Cell(0, 1): 0.6}
    assert figures_of("mAP@1", metrics) == {Cell(0, 0): 0.7, Cell(0, 1): pytest.approx(0.8)}
    assert figures_of("accuracy", metrics) == {Cell(0, 0): 0.9}
    assert figures_of("split 2", metrics) == {Cell(0, 1): 0.6}
    # The fifth class of Flowers-17, by the number of its photographs.
    assert figures_of("crocus", metrics) == {Cell(0, 0): 0.8, Cell(0, 1): pytest.approx(0.9)}


def test_what_was_published_stays_where_nothing_was_run():
    comparison = compare(TABLES["nifl-table-10"], "cub200_2011", None, [], "no photographs.")
    assert comparison.notes[0] == "not run: no photographs."
    assert len(comparison.rows) == 26
    assert not any(row.mean for row in comparison.rows)
    assert comparison.notes[-1].startswith("Row D & C cannot be Recall@2 and Recall@4")
