"""`python -m nfl_keras.train` and `python -m nfl_keras.evaluate`, as a person uses them."""

import json
import os
import shutil
import subprocess
import sys

import keras
import pytest

from nfl_keras import evaluate, train
from nfl_keras.training.run_folder import RunFolder


def fails(capsys, command, arguments):
    """The one line that a command ends with when it exits with code 2."""
    with pytest.raises(SystemExit) as exit_info:
        command.main(arguments)
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    return error


def test_a_run_leaves_everything_behind_and_is_evaluated_again(quick, tmp_path, capsys):
    train.main(quick(evaluate_every=1, crops=3))
    printed = capsys.readouterr().out
    run = tmp_path / "run"
    assert {p.name for p in run.iterdir()} == {
        "config.yaml",
        "metrics.json",
        "history.json",
        "report.html",
        "checkpoints",
        "logs",
    }
    assert {p.name for p in (run / "checkpoints").iterdir()} == {"best.keras", "last.keras"}
    assert list(run.glob("logs/**/events.out.tfevents.*"))

    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["trained"]["num_queries"] == 24
    assert f"Recall@1 {metrics['untrained']['recall_at']['1']:.4f}" in printed
    assert f"Recall@1 {metrics['trained']['recall_at']['1']:.4f}" in printed
    history = json.loads((run / "history.json").read_text())
    assert history["epoch"] == [1, 2]
    assert {"loss", "L_D", "L_N", "L_S", "recall@1", "map"} < set(history)
    assert metrics["best_epoch"] == 1 + history["map"].index(max(history["map"]))
    assert "images/s" in printed

    evaluate.main([str(run)])
    again = capsys.readouterr().out
    assert f"{metrics['trained']['map']:.4f}" in again
    assert metrics["trained"]["protocol"] in again


def test_training_learns_and_a_seed_repeats_it(quick, tmp_path):
    for name in ("first", "second"):
        train.main(quick(epochs=6, learning_rate=3e-3, run_dir=tmp_path / name))
    first, second = (
        json.loads((tmp_path / name / "history.json").read_text()) for name in ("first", "second")
    )
    assert first["loss"][-1] < 0.8 * first["loss"][0]
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-3)


def test_several_splits_give_their_mean(quick, tmp_path, capsys):
    train.main(quick(split_seeds="[3,5]", epochs=1, evaluate_every=0))
    assert "mean " in capsys.readouterr().out
    run = tmp_path / "run"
    whole = json.loads((run / "metrics.json").read_text())
    maps = [
        json.loads((run / f"split-{seed}" / "metrics.json").read_text())["trained"]["map"]
        for seed in (3, 5)
    ]
    assert whole["mean"]["mAP"] == pytest.approx(sum(maps) / 2)
    assert [split["mAP"] for split in whole["splits"].values()] == maps
    assert "split-3/report.html" in (run / "report.html").read_text()
    assert RunFolder(run).split(5).config().split_seeds == [5]

    evaluate.main([str(run)])
    assert f"mAP {whole['mean']['mAP']:.4f}" in capsys.readouterr().out


def test_validation_keeps_the_test_photographs_out(quick, tmp_path):
    train.main(quick(evaluate_on="validation", protocol="zero-shot", classes_per_batch=2, epochs=1))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["evaluated_on"] == "validation"
    assert metrics["trained"]["num_queries"] == 8  # one of the three training classes
    assert "validation" in metrics["trained"]["protocol"]


def test_a_missing_folder_shows_the_expected_tree(quick, tmp_path, capsys):
    error = fails(capsys, train, quick(dataset=tmp_path / "nowhere"))
    assert "nowhere" in error.splitlines()[0]
    assert "first class/" in error
    assert not (tmp_path / "run").exists()


def test_missing_flowers_show_the_expected_tree(quick, tmp_path, capsys):
    error = fails(capsys, train, quick(dataset="flowers17", data_dir=tmp_path))
    assert "image_0001.jpg" in error
    assert not (tmp_path / "run").exists()


def test_where_nothing_is_to_be_found_no_run_begins(quick, photographs, tmp_path, capsys):
    for file in photographs.glob("*/[2-7].jpg"):
        file.unlink()
    error = fails(capsys, train, quick(images_per_class=1))
    assert "nothing to find" in error
    assert not (tmp_path / "run").exists()


def test_an_unknown_dataset_is_answered_with_the_known_ones(quick, capsys):
    error = fails(capsys, train, quick(dataset="bloms"))
    assert "'bloms'" in error
    assert "blooms, flowers17" in error


def test_too_few_classes_are_counted(quick, tmp_path, capsys):
    error = fails(capsys, train, quick(classes_per_batch=7))
    assert "7" in error
    assert "there are 6" in error
    assert not (tmp_path / "run").exists()


def test_a_class_that_is_too_small_is_named(quick, photographs, tmp_path, capsys):
    for number in range(6):
        (photographs / "class 4" / f"{number}.jpg").unlink()
    error = fails(capsys, train, quick())
    assert "class 4" in error
    assert "--small-classes" in error or "small_classes" in error
    assert not (tmp_path / "run").exists()
    with pytest.warns(UserWarning, match=r"\(class 4\) and are left out"):
        train.main(quick(small_classes="drop", epochs=1))
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_corrupt_photograph_is_named(quick, photographs, tmp_path, capsys):
    whole = (photographs / "class 2" / "3.jpg").read_bytes()
    (photographs / "class 2" / "3.jpg").write_bytes(whole[: len(whole) // 3])
    error = fails(capsys, train, quick())
    assert "class 2/3.jpg" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_another_run_is_not_overwritten(quick, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("epochs: 9\n")
    assert "holds another run" in fails(capsys, train, quick())
    assert (tmp_path / "run" / "config.yaml").read_text() == "epochs: 9\n"


def test_an_unwritable_run_folder_is_named(quick, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    error = fails(capsys, train, quick(run_dir=tmp_path / "file" / "run"))
    assert "cannot write to the run folder" in error


@pytest.mark.parametrize("changed", [{"backbone": "resnet_99_imagenet"}, {"freeze_through": "z"}])
def test_a_backbone_that_does_not_fit_is_named(quick, changed, tmp_path, capsys):
    error = fails(capsys, train, quick(**changed))
    assert next(iter(changed.values())) in error
    assert not (tmp_path / "run").exists()


def test_evaluating_what_is_no_run_is_one_line(tmp_path, capsys):
    assert "not the folder of a finished run" in fails(capsys, evaluate, [str(tmp_path)])


def test_evaluating_a_torn_checkpoint_is_one_line(quick, tmp_path, capsys):
    train.main(quick(epochs=1, evaluate_every=0))
    checkpoint = tmp_path / "run" / "checkpoints" / "last.keras"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    assert "cannot load" in fails(capsys, evaluate, [str(tmp_path / "run")])
    assert "did not get so far" in fails(
        capsys, evaluate, [str(tmp_path / "run"), "--checkpoint", "best"]
    )


def test_evaluating_after_the_data_moved(quick, photographs, tmp_path, capsys):
    train.main(quick(epochs=1))
    shutil.move(photographs, tmp_path / "moved")
    assert "photographs" in fails(capsys, evaluate, [str(tmp_path / "run")])


def test_a_checkpoint_that_carries_code_is_refused(quick, tmp_path, capsys):
    train.main(quick(epochs=1, evaluate_every=0))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "run" / "checkpoints" / "last.keras")
    assert "cannot load" in fails(capsys, evaluate, [str(tmp_path / "run")])


def test_from_a_shell_a_mistake_is_one_line_and_code_2(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "nfl_keras.train", "--dataset", "bloms"],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert finished.stderr.splitlines()[-1].startswith("error: there is no dataset")
    assert os.listdir(tmp_path) == []
