"""Runs with `--train-on all`, by the command line."""

import pytest

from nfl_keras import evaluate, train
from nfl_keras.training import choose_settings
from nfl_keras.training.load_learner import load_learner
from nfl_keras.training.reporting.description import describe
from nfl_keras.training.run_folder import RunFolder

ALL = {"train_on": "all", "protocol": "zero-shot"}
NO_TEST = "trained on all photographs: what was held out to watch is no test; "
CLASSES = list(range(6))


@pytest.fixture(scope="module")
def trained(shared):
    return shared(**ALL)


def classes_seen(run):
    folder = RunFolder(run)
    model = load_learner(folder.checkpoint("last"), folder.config().recipe.learner)
    return list(model.class_labels)


def test_the_run_has_seen_every_class_and_says_that_it_has_no_test(trained):
    assert classes_seen(trained.path) == CLASSES
    metrics = RunFolder(trained.path).metrics()
    assert metrics["evaluated_on"] == "validation"
    assert metrics["trained"]["num_queries"] == 4  # two pairs
    assert metrics["trained"]["protocol"].startswith(NO_TEST)
    assert metrics["accuracy"] is not None
    assert NO_TEST in trained.printed
    *_, before_last, last = trained.printed.splitlines()
    assert before_last.startswith("No test figure follows from this run")
    assert "report: " in last
    report = (trained.path / "report.html").read_text()
    assert NO_TEST in report
    assert "No test figure follows from this run" in report
    assert "the test queries" not in report


def test_it_is_evaluated_again(trained, capsys):
    evaluate.main([str(trained.path)])
    printed = capsys.readouterr().out
    assert NO_TEST in printed
    assert f"{RunFolder(trained.path).metrics()['trained']['map']:.4f}" in printed


def test_the_model_card_says_that_it_has_no_test(trained):
    folder = RunFolder(trained.path)
    card = describe(folder, folder.config(), "last")
    assert card["protocol"].startswith(NO_TEST)
    assert card["metrics"]["evaluated_on"] == "validation"
    assert card["config"]["data"]["train_on"] == "all"


def test_validation_classes_are_the_only_classes_not_seen(quick, tmp_path, capsys):
    train.main(quick(**ALL, validation_classes=2, final_epoch="best", blend="auto"))
    run = tmp_path / "run"
    assert len(classes_seen(run)) == 4
    metrics = RunFolder(run).metrics()
    assert metrics["trained"]["num_queries"] == 16
    assert metrics["trained"]["protocol"].startswith(NO_TEST + "zero-shot, validation: 2 of 6")
    assert "the validation photographs that the figures" in (run / "report.html").read_text()


def test_a_run_that_was_stopped_resumes_on_all(trained, quick, tmp_path, monkeypatch):
    class StopError(Exception):
        pass

    def stop(self, epoch, logs=None):
        raise StopError

    with monkeypatch.context() as patched:
        patched.setattr("nfl_keras.training.callbacks.progress.Progress.on_epoch_end", stop)
        with pytest.raises(StopError):
            train.main(quick(**ALL))
    run = tmp_path / "run"
    train.main(["--resume", str(run)])
    maps = [RunFolder(path).metrics()["trained"]["map"] for path in (run, trained.path)]
    assert maps[0] == pytest.approx(maps[1], abs=1e-5)
    assert classes_seen(run) == CLASSES


def test_views_of_all_are_cached(quick, tmp_path, capsys):
    train.main(quick(**ALL, cache_views=2, freeze_through="block1"))
    assert classes_seen(tmp_path / "run") == CLASSES
    assert "cached views: 2 of each photograph" in capsys.readouterr().out


def test_refit_chooses_on_a_part_of_the_training_split_and_trains_on_all(quick, tmp_path, capsys):
    refit = {"refit": "true", "refit_rates": "[0.001,0.01]", "validation_classes": 1}
    train.main(quick(**ALL, **refit, classes_per_batch=2))
    run = RunFolder(tmp_path / "run")
    assert classes_seen(run.path) == CLASSES
    candidates = [RunFolder(path) for path in (run.path / "choices").iterdir()]
    assert len(candidates) == 2
    for candidate in candidates:
        assert set(classes_seen(candidate.path)) < {0, 1, 2}
        assert candidate.config().data.train_on == "train"
    assert run.metrics()["trained"]["protocol"].startswith(NO_TEST + "fine-grained")
    assert "training on all photographs" in capsys.readouterr().out
    assert "trained anew on all photographs" in run.report.read_text()


def test_refit_refuses_what_cannot_train_on_all_before_it_chooses(
    quick, photographs, tmp_path, monkeypatch, capsys
):
    def choose(*arguments):
        raise AssertionError("chosen")

    monkeypatch.setattr(choose_settings, "_measure", choose)
    for image in range(7):  # of a class that only the whole holds
        (photographs / "class 5" / f"{image}.jpg").unlink()
    with pytest.raises(SystemExit) as exit_info:
        train.main(quick(**ALL, refit="true"))
    assert exit_info.value.code == 2
    assert "lower images_per_class" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_several_seeds_are_refused(quick, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_info:
        train.main(quick(**ALL, split_seeds="[0,1]"))
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith("error: train_on all has no test")
    assert not (tmp_path / "run").exists()
