"""A run that was stopped resumes as if it had not been."""

import concurrent.futures
import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism

from nfl_keras import train
from nfl_keras.training.callbacks import checkpoints
from nfl_keras.training.callbacks.evaluate_and_save import EvaluateAndSave
from nfl_keras.training.callbacks.progress import Progress
from nfl_keras.training.callbacks.stop_early import StopEarly
from nfl_keras.training.reporting import report_split
from nfl_keras.training.run_folder import RunFolder

# 12 steps: 3 epochs of 4 batches.
STEADY = {"epochs": 3, "deterministic": True, "checkpoint_every": 3, "ema": 0.5}
ASSISTED = {
    **STEADY,
    "recipe": "noise-assisted",
    "window": 3,
    "pretext": "rotation",
    "chunk_size": 5,
    "evaluate_every": 3,
}


class StopError(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def _determinism_ends():
    yield
    disable_op_determinism()


@pytest.fixture(scope="module")
def ended(quick_in, draw_photographs, tmp_path_factory):
    """The folder of a run that was killed twice and told to end, when that is done.

    That takes three processes, one after the other, which run beside the tests.
    """
    root = tmp_path_factory.mktemp("ended")
    draw_photographs(root / "photographs")
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        yield beside.submit(kill_and_end, root / "run", quick_in(root)(**STEADY))


@pytest.fixture(scope="module")
def uninterrupted(ended, shared):
    return shared(**STEADY).path


@contextlib.contextmanager
def interrupted(owner, name, call):
    """Within it one of the calls of a function, counted from 1, does not come to anything."""
    function = getattr(owner, name)
    numbers = itertools.count(1)

    def counted(*args, **kwargs):
        if next(numbers) == call:
            raise StopError
        return function(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, counted)
        with pytest.raises(StopError):
            yield


def resume(run):
    train.main(["--resume", str(run)])


def fails(capsys, *arguments):
    """The one line that the command ends with when it exits with code 2."""
    with pytest.raises(SystemExit) as ended:
        train.main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
    return error


def json_of(run, name):
    return json.loads((run / name).read_text())


def arrays_of(path):
    """Every array in a .keras file: weights and optimizer."""
    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with zipfile.ZipFile(path) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as file:
        file.visititems(note)
    return found


def logged(run):
    """The loss of each epoch in TensorBoard's logs; the latter, of an epoch done again."""
    files = sorted(map(str, run.glob("logs/train/events.out.tfevents.*")))
    return {
        event.step: float(tf.make_ndarray(value.tensor))
        for file in files
        for event in tf.compat.v1.train.summary_iterator(file)
        for value in event.summary.value
        if value.tag == "epoch_loss"
    }


def assert_same_results(run, expected):
    assert {path.relative_to(run) for path in run.rglob("*") if "logs" not in path.parts} == {
        path.relative_to(expected) for path in expected.rglob("*") if "logs" not in path.parts
    }
    for name in ("last.keras", "best.keras"):
        arrays = arrays_of(run / "checkpoints" / name)
        expected_arrays = arrays_of(expected / "checkpoints" / name)
        assert arrays.keys() == expected_arrays.keys()
        for path, array in arrays.items():
            np.testing.assert_array_equal(array, expected_arrays[path], err_msg=path)
    assert json_of(run, "history.json") == json_of(expected, "history.json")
    metrics, expected_metrics = json_of(run, "metrics.json"), json_of(expected, "metrics.json")
    assert len(metrics["pace"].pop("seconds")) == len(expected_metrics["pace"].pop("seconds"))
    for name in ("seconds", "images_per_second", "waiting_share"):
        assert metrics.pop(name) > 0
        expected_metrics.pop(name)
    assert metrics == expected_metrics
    assert logged(run) == logged(expected)
    assert sorted(logged(run)) == [0, 1, 2]


def test_the_arrays_that_are_compared_are_all_there(uninterrupted):
    arrays = arrays_of(uninterrupted / "checkpoints" / "last.keras")
    names = " ".join(arrays)
    assert "optimizer" in names
    steps = [array for name, array in arrays.items() if name.endswith("optimizer/vars/0")]
    assert steps == [12]


def test_a_stopped_run_of_noise_assisted_learning_ends_the_same(quick, shared, tmp_path, capsys):
    expected, run = shared(**ASSISTED).path, tmp_path / "run"
    with interrupted(Progress, "on_train_batch_end", call=8):
        train.main(quick(**ASSISTED))
    capsys.readouterr()
    resume(run)
    assert "resuming at epoch 2, batch 3" in capsys.readouterr().out
    assert_same_results(run, expected)
    assert json_of(run, "history.json").keys() >= {"L_inter", "L_intra", "L_pretext"}


DRIVER = """
import itertools, os, signal, sys
from nfl_keras import train
from nfl_keras.training import checkpoint_files
from nfl_keras.training.callbacks.progress import Progress

def strike(owner, name, call, blow):
    function, numbers = getattr(owner, name), itertools.count(1)
    def struck(*args, **kwargs):
        if next(numbers) == call:
            os.kill(os.getpid(), blow)
        return function(*args, **kwargs)
    setattr(owner, name, struck)

{strike}
train.main(sys.argv[1:])
"""


def struck(strike, arguments):
    """Runs the command in a process of its own, which strikes itself."""
    return subprocess.run(
        [sys.executable, "-c", DRIVER.format(strike=strike), *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )


def kill_and_end(run, arguments):
    """Kills a run in mid-step and in mid-write, then tells it to end; its folder."""
    killed = struck('strike(Progress, "on_train_batch_end", 5, signal.SIGKILL)', arguments)
    assert killed.returncode == -signal.SIGKILL
    killed = struck(
        'strike(checkpoint_files, "_digest", 2, signal.SIGKILL)', ["--resume", str(run)]
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(run.glob("checkpoints/.partial-*-step.npz"))
    ended = struck(
        'strike(Progress, "on_train_batch_end", 3, signal.SIGTERM)', ["--resume", str(run)]
    )
    assert ended.returncode == 0, ended.stderr
    line = f"stopped; resume with: python -m nfl_keras.train --resume {run}"
    assert ended.stdout.splitlines()[-1] == line
    return run


def refuses_what_does_not_fit(run, photographs, capsys):
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("embedding_dim: 8", "embedding_dim: 9"))
    assert "does not fit the model" in fails(capsys, "--resume", run)
    (run / "config.yaml").write_text(config)

    photograph = photographs / "class 2" / "3.jpg"
    photograph.rename(photograph.with_name("33.jpg"))
    assert "not those that the run in" in fails(capsys, "--resume", run)
    photograph.with_name("33.jpg").rename(photograph)


def test_splits_that_are_finished_are_not_trained_again(quick, tmp_path, capsys):
    run = tmp_path / "run"
    with interrupted(Progress, "on_train_batch_end", call=6):
        train.main(quick(epochs=1, evaluate_every=0, split_seeds="[0,5]"))
    assert not list(run.glob("split-5/checkpoints/step-*"))
    first = run / "split-0" / "checkpoints" / "last.keras"
    trained = first.stat().st_mtime_ns
    capsys.readouterr()
    resume(run)
    printed = capsys.readouterr().out
    assert "split 0 is finished: Recall@1" in printed
    assert "resuming" not in printed  # split 5 has no checkpoint, and begins anew
    assert first.stat().st_mtime_ns == trained
    assert json_of(run / "split-5", "history.json")["epoch"] == [1]
    maps = [json_of(run / f"split-{s}", "metrics.json")["trained"]["map"] for s in (0, 5)]
    assert json_of(run, "metrics.json")["trained"]["mean"]["mAP"] == pytest.approx(sum(maps) / 2)
    assert "split-5/report.html" in (run / "report.html").read_text()


def test_an_early_stop_is_remembered(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(
        StopEarly, "on_epoch_end", lambda self, *_: setattr(self.model, "stop_training", True)
    )
    with interrupted(report_split, "write_report", call=1):
        train.main(quick(early_stopping_epochs=1))
    resume(tmp_path / "run")
    assert json_of(tmp_path / "run", "history.json")["epoch"] == [1]
    assert json_of(tmp_path / "run", "metrics.json")["final_epoch"] == 1


def test_a_model_is_the_best_when_its_epoch_is_done(tmp_path):
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    saved = EvaluateAndSave(None, folder, every=1, epochs=5)
    folder.checkpoint("best").write_text("epoch 1")
    folder.checkpoint("best-3").write_text("epoch 3")
    folder.checkpoint("best-4").write_text("epoch 4, not done")
    saved.best_epoch = 3
    saved.keep_best()
    assert os.listdir(folder.checkpoints) == ["best.keras"]
    assert folder.checkpoint("best").read_text() == "epoch 3"
    saved.keep_best()
    assert folder.checkpoint("best").read_text() == "epoch 3"


@pytest.mark.parametrize(
    ("others", "named"),
    [
        (["--epochs", "3"], "leave out --epochs beside"),
        (["--epochs=3", "--seed", "1"], "leave out --epochs, --seed beside"),
        (["--config", "some.yaml"], "leave out --config beside"),
        (["stray"], "leave out stray beside"),
    ],
)
def test_other_settings_beside_a_run_to_resume_are_refused_by_name(others, named, capsys):
    assert named in fails(capsys, "--resume", "runs/some", *others)
    assert named in fails(capsys, *others, "--resume=runs/some")


def test_what_is_no_run_cannot_be_resumed(tmp_path, capsys):
    assert "no run to resume" in fails(capsys, "--resume", tmp_path)
    assert "no run to resume" in fails(capsys, "--resume", tmp_path / "gone")
    assert "needs the folder" in fails(capsys, "--resume")


def test_where_no_checkpoint_can_be_written_it_is_said(quick, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "write_checkpoint", full)
    error = fails(capsys, *quick(epochs=1, checkpoint_every=1))
    assert "No space left on device" in error
    assert "--resume" in error


def test_killed_and_stopped_anywhere_again_and_again_a_run_ends_the_same(
    ended, uninterrupted, capsys
):
    run = ended.result()  # killed in mid-step and in mid-write, and told to end
    refuses_what_does_not_fit(run, run.parent / "photographs", capsys)
    with interrupted(EvaluateAndSave, "keep_best", call=2):  # where its epoch is done
        resume(run)
    newest, before = sorted(run.glob("checkpoints/step-*.npz"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:-100])
    capsys.readouterr()
    with interrupted(Progress, "on_train_batch_end", call=4):
        resume(run)
    printed = capsys.readouterr().out
    assert f"{newest.name} is torn; resuming from the checkpoint before it" in printed
    assert before.name.startswith("step-0000000007")
    assert "resuming at epoch 2, batch 4" in printed
    with interrupted(report_split, "write_report", call=1):
        resume(run)
    resume(run)
    assert "resuming after training" in capsys.readouterr().out
    assert_same_results(run, uninterrupted)

    resume(run)
    printed = capsys.readouterr().out
    assert printed == f"{run} is finished; report: {run / 'report.html'}\n"
