"""Every setting that replicas see learns on two workers what it does on two devices and on one."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from nfl_keras import train

SCRIPT = pathlib.Path(__file__).parent / "settings_on_replicas.py"
TIME_LIMIT = 600

# Where batch statistics are the replica's own, or rounding is coarse, two replicas differ from one
# device, but two workers not from two devices.
AS_ON_ONE_DEVICE = [
    "synchronize_batch_norm",
    "synchronize_batch_norm, uneven",
    "freeze_batch_norm",
    "ema, clip_norm, backbone_rate",
    "adamw",
    "noise-assisted",
    "noise-assisted, jigsaw",
]
OF_REPLICAS = ["default", "default, uneven", "mixed_bfloat16", "mixed_float16, clip_norm"]


@pytest.fixture(scope="module")
def found(tmp_path_factory, free_addresses):
    """Logs and weights by setting, from one device, two devices and each of two workers."""
    folder = tmp_path_factory.mktemp("settings")
    cluster = {"worker": free_addresses(2)}
    configs = [{"cluster": cluster, "task": {"type": "worker", "index": i}} for i in (0, 1)]
    runs = {
        "one": ("1", None),
        "two": ("2", None),
        **{f"worker {i}": ("1", configs[i]) for i in (0, 1)},
    }
    processes = {name: start(folder / f"{name}.npz", *run) for name, run in runs.items()}
    try:
        for name, process in processes.items():
            process.wait(TIME_LIMIT)
            assert process.returncode == 0, (folder / f"{name}.log").read_text()[-3000:]
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    results = {}
    for name in runs:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            results[name] = dict(arrays)
    return results


def start(output, devices, config):
    environment = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    environment |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if config:
        environment["TF_CONFIG"] = json.dumps(config)
    with open(output.with_suffix(".log"), "w") as log:
        return subprocess.Popen(
            [sys.executable, str(SCRIPT), str(output), devices],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def distance(found, name, replicas, expected):
    one, other = found[expected][name].astype("float64"), found[replicas][name].astype("float64")
    assert one.shape == other.shape
    return np.linalg.norm(other - one) / np.linalg.norm(one)


@pytest.mark.parametrize("setting", [*AS_ON_ONE_DEVICE, *OF_REPLICAS])
def test_two_workers_learn_what_two_devices_do(found, setting):
    for what in ("logs", "weights"):
        name = f"{setting}: {what}"
        assert distance(found, name, "worker 1", "worker 0") == 0
        assert distance(found, name, "worker 0", "two") < 1e-5


@pytest.mark.parametrize("setting", AS_ON_ONE_DEVICE)
def test_replicas_learn_what_one_device_does(found, setting):
    for what in ("logs", "weights"):
        assert distance(found, f"{setting}: {what}", "two", "one") < 1e-5


def test_settings_change_what_is_learned(found):
    weights = [found["worker 0"][f"{s}: weights"] for s in [*AS_ON_ONE_DEVICE, *OF_REPLICAS]]
    for i, one in enumerate(weights):
        for other in weights[:i]:
            assert one.shape != other.shape or np.abs(one - other).max() > 1e-6


def test_a_step_that_xla_cannot_compile_is_refused_first(quick, tmp_path, capsys, monkeypatch):
    class TwoReplicas:
        num_replicas_in_sync = 2

    monkeypatch.setattr("nfl_keras.training.train_run.make_strategy", lambda name: TwoReplicas())
    with pytest.raises(SystemExit) as ended:
        train.main(quick(jit_compile=True))
    assert ended.value.code == 2
    assert "leave out jit_compile" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
