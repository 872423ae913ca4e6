import json

import pytest
import tensorflow as tf

from nfl_keras import evaluate, train
from nfl_keras.errors import UserError
from nfl_keras.training import choose_settings, train_run
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder

REFIT = {
    "refit": "true",
    "refit_rates": "[0.001,0.03]",
    "blend": "auto",
    "validation_classes": 2,
    "projection": "random",
}


@pytest.fixture(scope="module")
def refitted(shared):
    return shared(**REFIT)


def test_the_best_of_the_held_out_part_trains_on_the_whole(refitted):
    run = RunFolder(refitted.path)
    choice = run.choice()
    chosen = choice["chosen"]
    assert [c["learning_rate"] for c in choice["candidates"]] == [0.001, 0.03]
    assert chosen in choice["candidates"]
    scores = [c["Recall@1"] + c["mAP"] for c in choice["candidates"]]
    assert chosen["Recall@1"] + chosen["mAP"] == max(scores)
    for candidate in choice["candidates"]:
        of_rate = run.path / "choices" / f"rate-{candidate['learning_rate']:g}"
        metrics = json.loads((of_rate / "metrics.json").read_text())
        assert metrics["trained"]["map"] == candidate["mAP"]
        assert metrics["trained"]["num_queries"] == 8
        assert metrics["best_epoch"] == candidate["epochs"]
        assert RunFolder(of_rate).config().optimizer.learning_rate == candidate["learning_rate"]

    config = run.config()
    assert config.optimizer.epochs == chosen["epochs"]
    assert config.optimizer.learning_rate == chosen["learning_rate"]
    assert config.evaluation.blend == chosen["alpha"]
    assert not config.evaluation.refit
    assert config.evaluation.validation_classes == 0
    metrics = run.metrics()
    assert metrics["trained"]["num_queries"] == 24
    assert metrics["blend"] == {"alpha": chosen["alpha"]}
    assert metrics["final_epoch"] == chosen["epochs"]
    report = run.report.read_text()
    assert f"The run chose {chosen['epochs']} epochs" in report
    assert "trained anew on the whole training split" in report


def test_it_is_evaluated_again_like_any_run(refitted, capsys):
    evaluate.main([str(refitted.path)])
    trained = RunFolder(refitted.path).metrics()["trained"]
    assert f"{trained['map']:.4f}" in capsys.readouterr().out


def test_a_run_that_stops_while_it_chooses_resumes(refitted, quick, tmp_path, monkeypatch):
    fit_split = choose_settings.fit_split

    def stop_at_the_second(split):
        if split.run.config.optimizer.learning_rate > 0.01:
            raise KeyboardInterrupt
        return fit_split(split)

    with monkeypatch.context() as patched:
        patched.setattr(choose_settings, "fit_split", stop_at_the_second)
        with pytest.raises(SystemExit):
            train.main(quick(**REFIT))
    run = tmp_path / "run"
    first = run / "choices" / "rate-0.001" / "report.html"
    written = first.stat().st_mtime_ns
    train.main(["--resume", str(run)])
    assert first.stat().st_mtime_ns == written
    assert RunFolder(run).choice()["chosen"] == pytest.approx(
        RunFolder(refitted.path).choice()["chosen"], abs=1e-5
    )
    maps = [RunFolder(path).metrics()["trained"]["map"] for path in (run, refitted.path)]
    assert maps[0] == pytest.approx(maps[1], abs=1e-5)


def test_a_rate_that_diverges_is_out(quick, tmp_path, capsys):
    train.main(quick(**{**REFIT, "refit_rates": "[1e30,0.001]"}))
    run = RunFolder(tmp_path / "run")
    choice = run.choice()
    assert list(choice["failed"]) == ["1e+30"]
    assert [c["learning_rate"] for c in choice["candidates"]] == [0.001]
    assert "learning rate 1e+30 is out: " in capsys.readouterr().out
    assert "Training failed at the learning rate 1e+30: " in run.report.read_text()


def test_no_rate_that_trains_is_an_error(quick, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        train.main(quick(**{**REFIT, "refit_rates": "[1e30]"}))
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run" / "choice.json").exists()


def test_refit_on_several_machines_is_refused(quick, tmp_path, monkeypatch, capsys):
    several = object.__new__(tf.distribute.MultiWorkerMirroredStrategy)
    monkeypatch.setattr(train_run, "make_strategy", lambda name: several)
    with pytest.raises(SystemExit) as exit_info:
        train.main(quick(refit="true"))
    assert exit_info.value.code == 2
    assert capsys.readouterr().err.startswith("error: refit works on one machine; leave it out")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"refit": True, "evaluate_on": "validation"}, "leave out evaluate_on"),
        ({"refit": True, "evaluate_every": 0}, "give evaluate_every above 0"),
        ({"refit_rates": [0.1]}, "give refit true"),
        ({"refit": True, "refit_rates": [0.1, 0.0]}, "refit_rates must be above 0"),
        ({"blend": 1.5}, "blend must be auto or in 0..1"),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(UserError, match=message):
        TrainConfig.from_settings(**settings)
