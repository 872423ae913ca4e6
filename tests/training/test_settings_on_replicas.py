"""Every setting that replicas see learns on two workers what it does on two devices and on one."""

import pathlib

import numpy as np
import pytest

from nfl_keras import train

SCRIPT = pathlib.Path(__file__).parent / "settings_on_replicas.py"

# Where batch statistics are the replica's own, or rounding is coarse, two replicas differ from one
# device, but two workers not from two devices.
AS_ON_ONE_DEVICE = [
    "synchronize_batch_norm",
    "freeze_batch_norm, ema, clip_norm, backbone_rate",
    "noise-assisted, jigsaw, freeze_batch_norm, adamw",
    "pair-loss, all triplets, freeze_batch_norm",
    "proxy, anti_collapse, proxy_rate, freeze_batch_norm",
    "classification, lambda_sgsl, freeze_batch_norm",
]
OF_REPLICAS = ["default", "mixed_bfloat16", "mixed_float16, clip_norm"]
SIZES = [8, 7]  # of a batch


@pytest.fixture(scope="module")
def found(tmp_path_factory, run_clusters):
    """Logs and weights by setting, from one device, two devices and each of two workers."""
    folder = tmp_path_factory.mktemp("settings")
    names = ("mirrored", "worker 0", "worker 1")
    alone, *workers = ([SCRIPT, folder / f"{name}.npz"] for name in names)
    run_clusters([[*alone, "one", "mirrored"]], [[*one, "multi-worker"] for one in workers])
    results = {}
    for name in names:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            results |= {key.replace("multi-worker", name): arrays[key] for key in arrays.files}
    return results


def distance(found, name, replicas, expected):
    one, other = (found[f"{on}: {name}"].astype("float64") for on in (expected, replicas))
    assert one.shape == other.shape
    return np.linalg.norm(other - one) / np.linalg.norm(one)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("setting", [*AS_ON_ONE_DEVICE, *OF_REPLICAS])
def test_two_workers_learn_what_two_devices_do(found, setting, size):
    for what in ("logs", "weights"):
        name = f"{setting}, {size}: {what}"
        assert distance(found, name, "worker 1", "worker 0") == 0
        assert distance(found, name, "worker 0", "mirrored") < 1e-5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("setting", AS_ON_ONE_DEVICE)
def test_replicas_learn_what_one_device_does(found, setting, size):
    for what in ("logs", "weights"):
        assert distance(found, f"{setting}, {size}: {what}", "mirrored", "one") < 1e-5


def test_settings_change_what_is_learned(found):
    names = [f"{s}, {n}" for s in [*AS_ON_ONE_DEVICE, *OF_REPLICAS] for n in SIZES]
    weights = [found[f"worker 0: {name}: weights"] for name in names]
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
