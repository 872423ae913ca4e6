import json
import types

import keras
import pytest
import tensorflow as tf

from nfl_keras.distribution.make_strategy import make_strategy
from nfl_keras.errors import UserError

TWO = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}


@pytest.fixture
def machine(monkeypatch):
    """Function that sets `TF_CONFIG` and the GPUs, and lets strategies be their names alone."""

    def set_up(config=None, gpus=0):
        if config is None:
            monkeypatch.delenv("TF_CONFIG", raising=False)
        else:
            text = config if isinstance(config, str) else json.dumps(config)
            monkeypatch.setenv("TF_CONFIG", text)
        devices = {
            "GPU": [types.SimpleNamespace(name=f"/device:GPU:{i}") for i in range(gpus)],
            "CPU": [types.SimpleNamespace(name=f"/device:CPU:{i}") for i in range(2)],
        }
        monkeypatch.setattr(tf.config, "list_logical_devices", devices.__getitem__)
        monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda names: names)
        monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: "workers")

    return set_up


def task(cluster, job="worker", index=0):
    return {"cluster": cluster, "task": {"type": job, "index": index}}


GPUS = ["/device:GPU:0", "/device:GPU:1"]
CPUS = ["/device:CPU:0", "/device:CPU:1"]
ONE = tf.distribute.get_strategy()


@pytest.mark.parametrize(
    ("name", "config", "gpus", "expected"),
    [
        ("auto", None, 0, ONE),
        ("auto", None, 1, ONE),
        ("auto", None, 2, GPUS),
        ("auto", task(TWO), 2, "workers"),
        ("auto", task({"chief": ["a:1"], "worker": ["b:1"]}), 0, "workers"),
        ("auto", task({"chief": ["a:1"]}, "chief"), 2, GPUS),
        ("auto", task({"worker": ["a:1"]}), 0, ONE),
        ("one", None, 2, ONE),
        ("one", task(TWO), 2, ONE),
        ("mirrored", None, 2, GPUS),
        ("mirrored", None, 1, GPUS[:1]),
        ("mirrored", task(TWO), 0, CPUS),
        ("multi-worker", task(TWO, index=1), 0, "workers"),
        ("multi-worker", task({"worker": ["a:1"]}), 2, "workers"),
    ],
)
def test_what_is_trained_on(machine, name, config, gpus, expected):
    machine(config, gpus)
    assert make_strategy(name) == expected


def test_runs_of_one_process_share_the_strategy_of_their_devices(machine):
    machine(gpus=2)
    both = make_strategy("mirrored")
    assert make_strategy("auto") is both
    machine(gpus=1)
    assert make_strategy("mirrored") is not both


@pytest.mark.parametrize(
    "config",
    [
        "",
        "{",
        "[]",
        "{}",
        {"cluster": TWO},
        task(TWO, "chief"),
        task(TWO, index=2),
        task(TWO, index=-1),
        task(TWO, index="first"),
        task({"worker": 3}),
    ],
)
def test_a_tf_config_that_cannot_be_used_is_answered_with_one_that_can(machine, config):
    machine(config)
    with pytest.raises(UserError, match="TF_CONFIG must say which machines train") as error:
        make_strategy("multi-worker")
    assert "\n" not in str(error.value)
    example = str(error.value).partition("such as ")[2].partition(", but it is")[0]
    machine(example)
    assert make_strategy("multi-worker") == "workers"


def test_auto_does_not_overlook_a_broken_tf_config(machine):
    machine("{")
    with pytest.raises(UserError, match="TF_CONFIG"):
        make_strategy("auto")


def test_there_is_no_such_strategy():
    with pytest.raises(UserError, match="auto, one, mirrored, multi-worker, not 'tpu'"):
        make_strategy("tpu")


def test_runs_are_trained_by_tensorflow(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(UserError, match="backend is jax; leave out KERAS_BACKEND") as error:
        make_strategy("auto")
    assert "\n" not in str(error.value)


def test_one_device_is_no_strategy_at_all():
    with make_strategy("one").scope():
        assert not tf.distribute.has_strategy()
        assert not hasattr(tf.Variable(1.0), "values")
