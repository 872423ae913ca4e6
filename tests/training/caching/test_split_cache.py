"""Runs with `--cache-views`, by the command line."""

import contextlib
import json
import os
import shutil
import signal
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from tensorflow.python.framework.config import disable_op_determinism

from nfl_keras import evaluate, train
from nfl_keras.data import open_dataset
from nfl_keras.data.batches.training_view import training_view
from nfl_keras.models import NoiseInvariantModel
from nfl_keras.training import prepare_split
from nfl_keras.training.caching import cached_views, split_cache
from nfl_keras.training.callbacks.progress import Progress

# 24 photographs in 2 views each, 5 at a time; 3 epochs of 4 batches.
CACHED = {
    "cache_views": 2,
    "freeze_through": "block1",
    "recipe": "noise-assisted",
    "window": 4,
    "pretext": "rotation",
    "lambda_softmax": 1.0,
    "epochs": 3,
    "crops": 3,
    "evaluate_every": 2,
    "deterministic": True,
    "checkpoint_every": 3,
}
VIEWS = ["clean", "noisy", "other", "pretext"]


class StopError(Exception):
    pass


@pytest.fixture(scope="module", autouse=True)
def _determinism_ends():
    yield
    disable_op_determinism()


@pytest.fixture(scope="module", autouse=True)
def _small_batches():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cached_views, "_BATCH_SIZE", 5)
        yield


@pytest.fixture(scope="module")
def kept():
    """What a run that is not finished has in its cache: rows, by the name of the file."""
    return {}


@pytest.fixture(scope="module")
def uninterrupted(shared, kept):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(split_cache.SplitCache, "remove", keeping(kept))
        return shared(**CACHED)


def keeping(kept):
    remove = split_cache.SplitCache.remove

    def keep_and_remove(cache):
        kept["cut"], kept["views"] = cache.views.cut, cache.views
        for path in cache.folder.glob("*.npy"):
            kept[path.name] = np.load(path, allow_pickle=False)
        remove(cache)

    return keep_and_remove


def json_of(run, name):
    return json.loads((run / name).read_text())


def assert_same_results(run, expected):
    assert json_of(run, "history.json") == json_of(expected, "history.json")
    for name in ("untrained", "trained", "accuracy", "diversity"):
        assert json_of(run, "metrics.json")[name] == json_of(expected, "metrics.json")[name]
    one, other = (
        keras.saving.load_model(r / "checkpoints" / "last.keras") for r in (run, expected)
    )
    for weight, expected_weight in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), expected_weight)


def test_a_run_says_what_it_has_cached_and_leaves_nothing(uninterrupted):
    assert "cached views: 2 of each photograph" in uninterrupted.printed
    assert "(8 x 8 x 8) of the frozen layers up to 'block1_pool'" in uninterrupted.printed
    report = (uninterrupted.path / "report.html").read_text()
    assert "Cached views: 2 of each photograph" in report
    assert "computed once in " in report
    assert not (uninterrupted.path / "cached_views").exists()


def test_figures_are_those_of_the_whole_network(uninterrupted, capsys):
    evaluate.main([str(uninterrupted.path)])
    metrics = json_of(uninterrupted.path, "metrics.json")
    assert f"mAP {metrics['trained']['map']:.4f}" in " ".join(capsys.readouterr().out.split())
    assert 0 <= metrics["accuracy"] <= 1


def test_rows_are_views_of_the_photographs_and_what_the_recipe_makes_of_them(uninterrupted, kept):
    rows, cut = kept["views.npy"], kept["cut"]
    assert list(rows.dtype.names) == [*(f"view {name}" for name in VIEWS), "draw pretext"]
    assert rows.dtype["view clean"].base == np.float16
    train_set = open_dataset(str(uninterrupted.photographs)).split("train", "fine-grained", 0)
    view = training_view(train_set, seed=0, image_size=16)
    for row in (0, 5, 23, 24, 47):
        pixels, _ = view(tf.constant(row % 24, tf.int64), tf.constant(row, tf.int64))
        expected = ops.convert_to_numpy(cut.lower(pixels[None]))[0]
        np.testing.assert_allclose(rows[row]["view clean"], expected, rtol=2e-3, atol=1e-2)
        others = [rows[row][f"view {name}"] for name in ("noisy", "other")]
        assert all(np.abs(other - expected).mean() > 1e-3 for other in others)
        if rows[row]["draw pretext"] == 0:
            turned = rows[row]["view pretext"]
            np.testing.assert_allclose(turned, expected, rtol=2e-3, atol=1e-2)
    assert set(rows["draw pretext"].tolist()) == {0, 1, 2, 3}
    assert len(np.unique(rows["view noisy"], axis=0)) == 48


def test_each_epoch_shows_another_view_until_all_are_shown(uninterrupted, kept):
    shown = {}
    cache = kept["views"]
    sampler = types.SimpleNamespace(seed=3, batch_size=24, epoch=lambda n: np.arange(24)[None])
    rows = kept["views.npy"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cache, "compute", lambda: rows)
        batches = iter(cache.batches(sampler, first_epoch=4, first_batch=0))
    for _epoch in range(4, 8):
        inputs, labels = next(batches)
        clean = inputs["views"]["clean"].numpy()
        for photograph in range(24):
            of_photograph = rows["view clean"][[photograph, 24 + photograph]]
            found = [np.array_equal(clean[photograph], one) for one in of_photograph]
            shown.setdefault(photograph, []).append(found.index(True))
        assert labels.dtype == tf.int32
    assert {tuple(versions) for versions in shown.values()} == {(0, 1, 0, 1), (1, 0, 1, 0)}


@contextlib.contextmanager
def stopped(end, after):
    """Within it the computation of views ends after so many batches of 5."""
    training_views = cached_views.training_views

    def some(*arguments):
        yield from training_views(*arguments).take(after)
        end()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cached_views, "training_views", some)
        yield


def fail():
    raise StopError


def receive_sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_run_stopped_in_its_views_and_in_training_ends_as_if_it_had_not_been(
    uninterrupted, kept, quick, tmp_path, capsys, monkeypatch
):
    run, found = tmp_path / "run", {}
    steps, after_step = iter(range(20)), Progress.on_train_batch_end

    def fail_after_7_steps(progress, batch, logs=None):
        if next(steps) == 7:
            fail()
        after_step(progress, batch, logs)

    with stopped(receive_sigterm, after=3), pytest.raises(SystemExit) as ended:
        train.main(quick(**CACHED))
    assert ended.value.code == 0
    assert f"resume with: python -m nfl_keras.train --resume {run}" in capsys.readouterr().out
    assert json_of(run / "cached_views", "views.json")["done"] == 15
    with stopped(fail, after=4), pytest.raises(StopError):
        train.main(["--resume", str(run)])
    assert json_of(run / "cached_views", "views.json")["done"] == 35

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_train_batch_end", fail_after_7_steps)
        with pytest.raises(StopError):
            train.main(["--resume", str(run)])
    monkeypatch.setattr(split_cache.SplitCache, "remove", keeping(found))
    with stopped(fail, after=0):  # All views are computed.
        train.main(["--resume", str(run)])
    assert "resuming at epoch 2, batch 3" in capsys.readouterr().out
    for name in ("views.npy", "final-query.npy"):
        np.testing.assert_array_equal(found[name], kept[name])
    assert_same_results(run, uninterrupted.path)
    assert not (run / "cached_views").exists()


def test_held_out_classes_are_cached_too(quick, tmp_path):
    changed = {"recipe": "noise-invariant", "epochs": 1, "classes_per_batch": 2}
    train.main(
        quick(cache_views=1, freeze_through="block", validation_classes=2, crops=3, **changed)
    )
    assert json_of(tmp_path / "run", "history.json")["map"][0] > 0


def test_outputs_beyond_float16_are_kept_in_float32(quick, tmp_path, capsys):
    train.main(
        quick(cache_views=1, freeze_through="block1", epochs=1, pixel_scale=1e4, learning_rate=1e-9)
    )
    assert "float32 is used" in capsys.readouterr().out


class OwnOutputs(NoiseInvariantModel):
    """A recipe with outputs of its own.

    Args:
        **kwargs: as for `NoiseInvariantModel`.
    """

    def outputs(self, images, labels, training):
        return super().outputs(images, labels, training)


def own_outputs(monkeypatch):
    build = prepare_split.build_model
    monkeypatch.setattr(
        prepare_split,
        "build_model",
        lambda *arguments: OwnOutputs(build(*arguments).embedder, num_classes=6),
    )


def full_disk(monkeypatch):
    left = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(split_cache.shutil, "disk_usage", lambda path: left)


def several_machines(monkeypatch):
    class Workers:
        num_replicas_in_sync = 2

    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", Workers)
    monkeypatch.setattr("nfl_keras.training.train_run.make_strategy", lambda name: Workers())


@pytest.mark.parametrize(
    ("changed", "prepare", "message"),
    [
        ({"freeze_through": ""}, None, "freeze more of the first layers with freeze_through"),
        ({}, own_outputs, "has its own outputs()"),
        ({}, full_disk, "has 0 MB left; make room, lower cache_views (now 2)"),
        ({}, several_machines, "cache_views works on one machine"),
        ({"cache_views": -1}, None, "cache_views must be"),
        ({"cache_views": 0, "cache_dir": "some"}, None, "cache_dir is used by cache_views alone"),
        ({"freeze_through": "", "split_seeds": "[0,1]"}, None, "with freeze_through"),
    ],
    ids=[
        "nothing frozen",
        "own outputs",
        "full disk",
        "machines",
        "negative",
        "folder alone",
        "splits",
    ],
)
def test_what_cannot_be_cached_is_refused_in_one_line_before_the_run(
    changed, prepare, message, quick, tmp_path, capsys, monkeypatch
):
    if prepare is not None:
        prepare(monkeypatch)
    settings = {"cache_views": 2, "freeze_through": "block1", **changed}
    with pytest.raises(SystemExit) as ended:
        train.main(quick(**{name: value for name, value in settings.items() if value != ""}))
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_runs_that_differ_in_what_is_trained_share_a_folder(quick, tmp_path, capsys):
    shared = {"cache_views": 1, "freeze_through": "block1", "cache_dir": tmp_path / "cache"}
    train.main(quick(**shared, epochs=1, run_dir=tmp_path / "first"))
    [files] = (tmp_path / "cache").iterdir()
    with stopped(fail, after=0):  # All views are computed.
        changed = {"learning_rate": 1e-4, "embedding_dim": 4, "classes_per_batch": 4}
        train.main(quick(**shared, **changed, epochs=1, run_dir=tmp_path / "second"))
    assert f"kept in &#39;{files}&#39;" in (tmp_path / "second" / "report.html").read_text()
    train.main(quick(**shared, epochs=1, seed=1, run_dir=tmp_path / "third"))
    assert len(list((tmp_path / "cache").iterdir())) == 2
