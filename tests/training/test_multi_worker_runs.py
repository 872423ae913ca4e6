"""Runs on several devices and machines: as on one, and with one folder left behind."""

import json
import sys
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.distribution.explain_lost_workers import explain_lost_workers
from nfl_keras.distribution.worker_folder import worker_folder
from nfl_keras.errors import UserError

SETTINGS = {"ema": 0.5, "embedding_dim": 8, "learning_rate": 3e-3, "synchronize_batch_norm": True}
ON_TWO_DEVICES = """
import sys, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from nfl_keras import train
train.main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def runs(shared, quick_in, run_clusters, tmp_path_factory):
    """The same run on one device, on two, and on two workers; what each printed."""
    one = shared(**SETTINGS)
    folder = tmp_path_factory.mktemp("several")
    flags = quick_in(one.path.parent)
    of_workers = ["-m", "nfl_keras.train", *flags(**SETTINGS, run_dir=folder / "workers")]
    mirrored = flags(**SETTINGS, run_dir=folder / "mirrored", strategy="mirrored")
    [on_two], workers = run_clusters([["-c", ON_TWO_DEVICES, *mirrored]], [of_workers, of_workers])
    paths = {"one": one.path, "mirrored": folder / "mirrored", "workers": folder / "workers"}
    printed = [one.printed, *(output for _, output, _ in (on_two, *workers))]
    errors = [errors for _, _, errors in workers]
    return types.SimpleNamespace(paths=paths, printed=printed, errors=errors)


def json_of(run, name):
    return json.loads((run / name).read_text())


def embeddings_of(run):
    model = keras.saving.load_model(run / "checkpoints" / "last.keras", compile=False)
    images = np.random.default_rng(0).uniform(0, 255, (6, 16, 16, 3)).astype("float32")
    return model.embedder.predict(images, verbose=0)


@pytest.mark.parametrize("several", ["mirrored", "workers"])
def test_a_run_learns_on_several_devices_what_it_does_on_one(runs, several):
    one, other = runs.paths["one"], runs.paths[several]
    history, expected = json_of(other, "history.json"), json_of(one, "history.json")
    assert history.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4, err_msg=name)
    assert len(set(expected["loss"])) == len(expected["loss"])
    np.testing.assert_allclose(embeddings_of(other), embeddings_of(one), atol=1e-4)
    metrics, expected = json_of(other, "metrics.json"), json_of(one, "metrics.json")
    assert (metrics["replicas"], expected["replicas"]) == (2, 1)
    for when in ("untrained", "trained"):
        assert metrics[when] == expected[when]


def test_each_run_says_what_it_trains_on_and_the_chief_alone_prints(runs):
    on_one, on_two, chief, other = runs.printed
    assert "training on one device" in on_one
    assert "training on 2 replicas\n" in on_two
    assert "training on 2 replicas of 2 workers" in chief
    assert str(runs.paths["workers"] / "report.html") in chief
    assert other == ""


def test_workers_end_quietly(runs):
    for errors in runs.errors:
        assert "StartAbort" not in errors
        assert "CoordinationService" not in errors
        assert "Traceback" not in errors


def test_one_folder_is_left_behind_as_complete_as_that_of_one_device(runs):
    def files(run):
        return {p.relative_to(run) for p in run.rglob("*") if "logs" not in p.parts}

    assert files(runs.paths["workers"]) == files(runs.paths["one"])
    assert len(list(runs.paths["workers"].glob("logs/**/events.out.*"))) == 1


def strategy_of_worker(index):
    cluster = tf.train.ClusterSpec({"worker": ["a:1", "b:1"]})
    resolver = types.SimpleNamespace(
        cluster_spec=lambda: cluster, task_type="worker", task_id=index
    )
    return types.SimpleNamespace(cluster_resolver=resolver)


@pytest.mark.parametrize("resume", [False, True])
def test_a_worker_writes_to_a_copy_that_does_not_last(tmp_path, capsys, resume):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("epochs: 1")
    with worker_folder(run, strategy_of_worker(1), resume) as own:
        assert own.parent != tmp_path
        assert (own / "config.yaml").exists() == resume
        print("epoch 1")
        print("32 of 64 photographs embedded", file=sys.stderr)
        own.mkdir(exist_ok=True)
        (own / "history.json").write_text("{}")
    assert not own.exists()
    assert [path.name for path in run.iterdir()] == ["config.yaml"]
    assert capsys.readouterr() == ("", "")


def test_the_chief_writes_to_the_folder_itself(tmp_path, capsys):
    with worker_folder(tmp_path / "run", strategy_of_worker(0), resume=False) as own:
        assert own == tmp_path / "run"
        print("epoch 1")
    assert capsys.readouterr().out == "epoch 1\n"


def test_a_worker_that_is_gone_is_told_in_one_line():
    with pytest.raises(UserError, match="another worker has ended") as told, explain_lost_workers():
        raise tf.errors.UnavailableError(None, None, "Socket closed")
    assert "--resume" in str(told.value)
    with pytest.raises(UserError, match="another worker has ended"), explain_lost_workers():
        raise tf.errors.InternalError(None, None, "Collective ops is aborted by: b:1")
    with pytest.raises(tf.errors.InvalidArgumentError), explain_lost_workers():
        raise tf.errors.InvalidArgumentError(None, None, "no JPEG")
