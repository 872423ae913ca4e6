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
from nfl_keras.retrieval import pooled_features
from nfl_keras.training import prepare_split
from nfl_keras.training.build_model import build_model
from nfl_keras.training.build_recolor import build_recolor
from nfl_keras.training.caching import cached_views, split_cache
from nfl_keras.training.caching.cache_keys import settings_of_views
from nfl_keras.training.callbacks.progress import Progress
from nfl_keras.training.splits import Splits

# 24 photographs in 2 views each, 5 at a time; 3 epochs of 4 batches.
CACHED = {
    "cache_views": 2,
    "freeze_through": "block1",
    "neck": True,
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
    """What a run that is not finished has in its cache."""
    return {}


@pytest.fixture(scope="module")
def uninterrupted(shared, kept):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(split_cache.SplitCache, "remove", keeping(kept))
        return shared(**CACHED)


def views_done(folder):
    [path] = folder.glob("views-*.json")
    return json.loads(path.read_text())["done"]


def files_of(folder):
    """The rows that a folder keeps, by the name of the file."""
    return {path.name: np.load(path, allow_pickle=False) for path in folder.glob("*.npy")}


def keeping(kept):
    remove = split_cache.SplitCache.remove

    def keep_and_remove(cache):
        kept["cut"], kept["views"] = cache.views.cut, cache.views
        kept["files"] = files_of(cache.folder)
        [kept["rows"]] = (rows for name, rows in kept["files"].items() if "views" in name)
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
    rows, cut = kept["rows"], kept["cut"]
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
    rows = kept["rows"]
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
    assert views_done(run / "cached_views") == 15
    with stopped(fail, after=4), pytest.raises(StopError):
        train.main(["--resume", str(run)])
    assert views_done(run / "cached_views") == 35

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_train_batch_end", fail_after_7_steps)
        with pytest.raises(StopError):
            train.main(["--resume", str(run)])
    monkeypatch.setattr(split_cache.SplitCache, "remove", keeping(found))
    with stopped(fail, after=0):  # All views are computed.
        train.main(["--resume", str(run)])
    assert "resuming at epoch 2, batch 3" in capsys.readouterr().out
    # The names differ, since they depend on where the photographs are.
    by_kind = [
        {(name[0], rows.shape): rows for name, rows in files.items()}
        for files in (found["files"], kept["files"])
    ]
    assert len(by_kind[0]) == len(found["files"]) == len(kept["files"])
    assert by_kind[0].keys() == by_kind[1].keys()
    for kind, rows in by_kind[0].items():
        np.testing.assert_array_equal(rows, by_kind[1][kind])
    assert_same_results(run, uninterrupted.path)
    assert not (run / "cached_views").exists()


def test_held_out_classes_are_cached_too(quick, tmp_path):
    changed = {"recipe": "noise-invariant", "epochs": 1, "classes_per_batch": 2}
    train.main(
        quick(cache_views=1, freeze_through="block", validation_classes=2, crops=3, **changed)
    )
    assert json_of(tmp_path / "run", "history.json")["map"][0] > 0


def test_outputs_beyond_float16_are_kept_in_float32(quick, tmp_path, capsys):
    large = {"cache_views": 1, "freeze_through": "block1", "epochs": 1, "pixel_scale": 1e4}
    large |= {"learning_rate": 1e-9, "cache_dir": tmp_path / "cache"}
    train.main(quick(**large))
    assert "float32 is used" in capsys.readouterr().out
    [views] = (tmp_path / "cache").glob("views-*.npy")
    assert np.load(views)["view clean"].dtype == np.float32
    with stopped(fail, after=0):  # All views are computed.
        train.main(quick(**large, run_dir=tmp_path / "again"))


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


def test_features_of_principal_components_are_those_of_the_network(
    config_of, photographs, preset, tmp_path
):
    settings = {"cache_views": 1, "freeze_through": "block1", "backbone": str(preset)}
    config = config_of(image_size=16, protocol="fine-grained", **settings)
    splits = Splits.of(open_dataset(str(photographs)), config)
    model = build_model(config, splits.train.classes.tolist())
    cache = split_cache.SplitCache(tmp_path / "cache", config, model, splits, None)
    found = cache.pooled_features(model.embedder, splits.train)
    expected = pooled_features(model.embedder, splits.train)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    [kept] = files_of(cache.folder).values()
    assert len(kept) == len(splits.train)


# Runs in their order, and the files that each adds to those before: "v" views, "c" crops.
NOISY = {"recipe": "noise-invariant"}
ASSISTED = {"recipe": "noise-assisted", "window": 4}
RUNS = [
    ({"recipe": "pair-loss"}, "cv"),
    ({"recipe": "proxy"}, ""),
    ({"recipe": "classification", "learning_rate": 1e-4, "embedding_dim": 4}, ""),
    (NOISY | {"lambda_n": 0.0}, ""),
    (ASSISTED | {"lambda_intra": 0.0}, ""),
    (NOISY, "v"),
    (NOISY | {"lambda_s": 0.0, "lambda_n": 2.0, "temperature": 0.2}, ""),
    (NOISY | {"noise_stddev": 0.2}, "v"),
    (ASSISTED | {"lambda_softmax": 1.0}, "v"),
    (ASSISTED | {"noise_stddev": 0.2, "lambda_pretext": 2.0, "unit_sum": False}, ""),
    (ASSISTED | {"window": 2}, "v"),
    (ASSISTED | {"noise": "none", "pretext": "rotation"}, "v"),
    (ASSISTED | {"noise": "none", "pretext": "rotation", "window": 2}, ""),
    (ASSISTED | {"pretext": "rotation", "lambda_intra": 0.0}, "v"),
    ({"recipe": "pair-loss", "seed": 1}, "v"),
    ({"recipe": "pair-loss", "max_rotation": 5.0}, "v"),
    ({"recipe": "pair-loss", "color": "jitter"}, "v"),
    ({"recipe": "pair-loss", "cache_views": 2}, "v"),
    ({"recipe": "pair-loss", "crops": 3}, "c"),
    ({"recipe": "pair-loss", "pixel_scale": 0.5}, "cv"),
    ({"recipe": "pair-loss", "freeze_through": "block2", "pooling": "mean"}, "cv"),
    ({"recipe": "pair-loss", "freeze_through": "block2", "pooling": "max"}, "cv"),
]


def test_files_of_one_name_have_the_same_rows(config_of, photographs, preset, tmp_path):
    dataset, known = open_dataset(str(photographs)), {}
    settings = {"cache_views": 1, "freeze_through": "block1", "crops": 1, "embedding_dim": 8}
    settings |= {"backbone": str(preset), "image_size": 16, "protocol": "fine-grained"}
    for number, (changed, added) in enumerate(RUNS):
        config = config_of(**{**settings, **changed})
        keras.utils.set_random_seed(config.run.seed)
        splits, folder = Splits.of(dataset, config), tmp_path / f"cache {number}"
        model = build_model(config, splits.train.classes.tolist())
        cache = split_cache.SplitCache(folder, config, model, splits, build_recolor(config)[0])
        cache.views.compute()
        cache.splits.final.embed(model.embedder, config.evaluation.crops)
        found = files_of(folder)
        new = sorted({name[0] for name in found if name not in known})
        assert "".join(new) == added, changed
        for name, rows in found.items():
            np.testing.assert_array_equal(rows, known.setdefault(name, rows), str(changed))


@pytest.mark.parametrize(
    ("first", "second", "added"),
    [
        (NOISY | {"seed": 1, "learning_rate": 1e-4}, {"recipe": "pair-loss"}, "v"),
        (
            ASSISTED | {"pretext": "rotation", "lambda_pretext": 2.0, "noise_stddev": 0.3},
            ASSISTED | {"pretext": "rotation", "lambda_softmax": 1.0},
            "",
        ),
    ],
    ids=["crops alone", "all"],
)
def test_a_run_on_files_of_another_ends_as_one_on_its_own(
    first, second, added, quick, tmp_path, monkeypatch
):
    settings = {"cache_views": 1, "freeze_through": "block1", "epochs": 1, "deterministic": True}
    cache, own = tmp_path / "cache", {}
    train.main(quick(**{**settings, **first}, cache_dir=cache, run_dir=tmp_path / "first"))
    written = {path: path.stat().st_mtime_ns for path in cache.glob("*.npy")}
    train.main(quick(**{**settings, **second}, cache_dir=cache, run_dir=tmp_path / "second"))
    both = {path: path.stat().st_mtime_ns for path in cache.glob("*.npy")}
    assert written.items() <= both.items()
    assert "".join(path.name[0] for path in both if path not in written) == added
    report = (tmp_path / "second" / "report.html").read_text()
    assert f"kept in &#39;{cache}&#39;" in report
    monkeypatch.setattr(split_cache.SplitCache, "remove", keeping(own))
    train.main(quick(**{**settings, **second}, run_dir=tmp_path / "own"))
    kept = files_of(cache)
    for name, rows in own["files"].items():
        np.testing.assert_array_equal(kept[name], rows)
    one, other = (json_of(tmp_path / run, "metrics.json") for run in ("second", "own"))
    for measured in ("seconds", "images_per_second", "waiting_share", "pace"):
        del one[measured], other[measured]
    assert one == other
    assert json_of(tmp_path / "second", "history.json") == json_of(tmp_path / "own", "history.json")


class Weighted(NoiseInvariantModel):
    """A recipe whose views are its own, and the settings another's.

    Args:
        **kwargs: as for `NoiseInvariantModel`.
    """

    def views(self, images, training):
        return {name: self.lambda_s * v for name, v in super().views(images, training).items()}


def test_views_of_a_recipe_from_outside_depend_on_all_its_settings(config_of):
    name = f"{Weighted.__module__}.Weighted"
    views = [
        settings_of_views(config_of(recipe=recipe, **settings))
        for recipe, settings in [
            (name, {"lambda_s": 0.5}),
            (name, {}),
            ("noise-invariant", {}),
        ]
    ]
    assert all(views.count(one) == 1 for one in views)
    assert views[1] == settings_of_views(config_of(recipe=name))
