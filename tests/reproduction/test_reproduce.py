"""`nfl-keras reproduce`, as a person uses it, on drawn photographs and a small network."""

import html
import pathlib
import re
import shlex
import statistics

import pytest

from nfl_keras import reproduce
from nfl_keras.__main__ import main
from nfl_keras.reproduction import budgets, plan, run_cell
from nfl_keras.reproduction.budgets import Base
from nfl_keras.reproduction.tables import TABLES
from nfl_keras.training.run_folder import RunFolder

SMALL = {
    "backbone": "tiny",
    "pixel_scale": None,
    "pixel_offset": None,
    "freeze_through": None,
    "freeze_batch_norm": False,
    "image_size": 16,
    "embedding_dim": 8,
    "projection": "random",
    "protocol": "zero-shot",
    "classes_per_batch": 2,
    "images_per_class": 2,
    "validation_classes": 1,
    "epochs": 2,
    "refit": True,
    "evaluate_every": 1,
    "crops": 1,
}
DATASET = "photographs"
ROWS = ["--rows", "L_D", "frozen backbone"]


@pytest.fixture
def command(tmp_path, draw_photographs, monkeypatch):
    """Function that runs the command in a folder with a small budget for drawn photographs."""
    draw_photographs(tmp_path / DATASET)
    base = Base("flowers17", settings=SMALL, chooses=True)
    monkeypatch.setitem(budgets._SMALL, (DATASET, "zero-shot"), base)
    monkeypatch.setattr(plan, "RATE_FACTORS", (0.5, 1.0))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        reproduce.main([*arguments])

    return run


def small(*arguments):
    return ["nifl-table-9", "--budget", "small", "--dataset", DATASET, *arguments]


def written_in(folder):
    """What each run wrote, and when."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")}


def test_a_table_is_measured_and_a_second_call_repeats_nothing(command, tmp_path, capsys):
    arguments = small(*ROWS, "--seeds", "0", "1", "--runs", "runs")
    command(*arguments)
    printed = capsys.readouterr().out
    runs = tmp_path / "runs" / "flowers17-zero-shot-tiny"
    assert sorted(path.name for path in runs.iterdir()) == ["frozen", "nifl-d"]
    first, second = (RunFolder(runs / "nifl-d" / f"split-0-seed-{seed}") for seed in (0, 1))
    # The second run takes what the first has chosen.
    assert len(first.choice()["candidates"]) == 2
    assert second.choice() is None
    chosen, taken = first.config(), second.config()
    assert chosen.optimizer == taken.optimizer
    assert chosen.evaluation == taken.evaluation
    assert (chosen.run.seed, taken.run.seed) == (0, 1)
    recalls = [f.metrics()["trained"]["recall_at"]["1"] for f in (first, second)]
    mean, deviation = statistics.mean(recalls), statistics.stdev(recalls)
    text = (tmp_path / "runs" / "nifl-table-9.md").read_text()
    assert text in printed
    [line] = re.findall(r"^\| L_D \|.*$", text, re.MULTILINE)
    assert f"{mean:.3f} ± {deviation:.3f}" in line
    assert f"rate {chosen.optimizer.learning_rate:g}, " in line
    assert re.search(r"^\| frozen backbone \| (\*\*)?[01]\.\d{3}(\*\*)? \|", text, re.MULTILINE)
    assert "- L_D + L_N above L_D in Recall@1: not run.\n" in text
    page = html.unescape((tmp_path / "runs" / "nifl-table-9.html").read_text())
    assert f"{100 * mean:.2f} ± {100 * deviation:.2f}%" in page

    # How the one trained method learns is drawn, against photographs and against seconds.
    assert len(list((tmp_path / "runs").glob("*.svg"))) == 2

    before = written_in(runs)
    command(*arguments)
    assert written_in(runs) == before
    assert (tmp_path / "runs" / "nifl-table-9.md").read_text() == text


def test_a_run_takes_what_any_other_of_its_row_has_chosen(command, tmp_path):
    arguments = small("--rows", "L_D", "--runs", "runs", "--seeds")
    command(*arguments, "1")
    command(*arguments, "0", "1")
    folder = tmp_path / "runs" / "flowers17-zero-shot-tiny" / "nifl-d"
    first, second = (RunFolder(folder / f"split-0-seed-{seed}") for seed in (0, 1))
    assert first.choice() is None
    assert first.config().optimizer == second.config().optimizer
    rate = second.choice()["chosen"]["learning_rate"]
    text = (tmp_path / "runs" / "nifl-table-9.md").read_text()
    assert f"| rate {rate:g}, " in text


def test_a_killed_call_is_resumed_and_repeats_nothing(command, tmp_path, monkeypatch):
    plain = Base("flowers17", settings={**SMALL, "refit": False})
    monkeypatch.setitem(budgets._SMALL, (DATASET, "zero-shot"), plain)
    arguments = small("--rows", "L_D", "L_D + L_N", "--seeds", "0", "--runs", "runs")
    calls = []
    train = run_cell.train_run

    def killed_at_the_second(config):
        calls.append(config.run.run_dir)
        if len(calls) == 2:
            raise KeyboardInterrupt
        train(config)

    monkeypatch.setattr(run_cell, "train_run", killed_at_the_second)
    with pytest.raises(SystemExit) as stopped:
        command(*arguments)
    assert stopped.value.code == 130
    before = written_in(tmp_path / "runs")
    assert len(before) == 1
    assert not (tmp_path / "runs" / "nifl-table-9.md").exists()
    calls.append("again")
    command(*arguments)
    after = written_in(tmp_path / "runs")
    assert {path: after[path] for path in before} == before
    assert calls[3:] == [calls[1]]


def test_absent_photographs_are_named_and_published_figures_stay(command, tmp_path):
    command("nifl-table-9", "--dataset", "cars196", "--data-dir", "cars196=absent", "--runs", "r")
    text = (tmp_path / "r" / "nifl-table-9.md").read_text()
    assert "| L_D + L_N + L_S | 0.8575 | - | 0.9164 | - |" in text
    assert re.search(r"^- not run: .*absent.*$", text, re.MULTILINE)


def test_a_run_that_fails_ends_its_row_alone(command, tmp_path, monkeypatch):
    monkeypatch.setattr(budgets, "_SMALL", {})
    wrong = Base("flowers17", settings={**SMALL, "refit": False, "learning_rate": 1e30})
    monkeypatch.setitem(budgets._SMALL, (DATASET, "zero-shot"), wrong)
    command(*small("--rows", "L_D", "frozen backbone", "--seeds", "0", "--runs", "runs"))
    text = (tmp_path / "runs" / "nifl-table-9.md").read_text()
    [line] = re.findall(r"^\| L_D \|.*$", text, re.MULTILINE)
    assert "not run: L_D is nan at step " in line
    assert re.search(r"^\| frozen backbone \| (\*\*)?[01]\.\d{3}", text, re.MULTILINE)


def test_runs_of_other_settings_are_not_taken(command, tmp_path, monkeypatch):
    arguments = small("--rows", "frozen backbone", "--seeds", "0", "--runs", "runs")
    command(*arguments)
    wider = Base("flowers17", settings={**SMALL, "image_size": 20}, chooses=True)
    monkeypatch.setitem(budgets._SMALL, (DATASET, "zero-shot"), wider)
    command(*arguments)
    text = (tmp_path / "runs" / "nifl-table-9.md").read_text()
    assert "holds runs of other settings; remove it, or name another folder with --runs" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a table, such as nifl-table-9; --list names all."),
        (["nifl-table-1"], "there is no table 'nifl-table-1'; choose one of nifl-table-2, "),
        (["nifl-table-9", "--rows", "L_X"], "there is no row 'L_X'; choose some of L_D, "),
        (["nifl-table-9", "--data-dir", "cars"], "--data-dir takes NAME=FOLDER, such as "),
    ],
)
def test_mistakes_are_one_line(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        reproduce.main(arguments)
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {words}")
    assert error.count("\n") == 1


def test_the_commands_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text().replace("\\\n", "")
    commands = re.findall(r"^nfl-keras (reproduce .*)$", readme, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        main(shlex.split(command))  # Without the photographs, whose folders it cannot know.
    for name in ("nifl-table-9", "nifl-table-10"):
        text = (tmp_path / "runs" / "reproduce" / f"{name}.md").read_text()
        assert "published, not run" in text
        assert re.search(r"^- not run: .*'FOLDER'.*$", text, re.MULTILINE)
    assert "runs/reproduce/nifl-table-10.html" in capsys.readouterr().out


def test_list_names_every_table(capsys):
    reproduce.main(["--list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == list(TABLES)
    assert lines[15].strip() == ("cars196, cub200_2011; with --budget small: cars196 or flowers17")
