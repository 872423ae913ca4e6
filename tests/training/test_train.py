"""`python -m nfl_keras.train` and `python -m nfl_keras.evaluate`, as a person uses them."""

import contextlib
import html
import json
import os
import re
import shutil
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras import evaluate, train
from nfl_keras.data import open_dataset
from nfl_keras.training.build_model import build_embedder
from nfl_keras.training.callbacks.evaluate_and_save import EvaluateAndSave
from nfl_keras.training.run_folder import RunFolder

LEARNING = {"epochs": 6, "learning_rate": 3e-3}


def fails(capsys, command, arguments):
    """The one line that a command ends with when it exits with code 2."""
    with pytest.raises(SystemExit) as exit_info:
        command.main(arguments)
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    return error


def metrics_of(run):
    return json.loads((run / "metrics.json").read_text())


def history_of(run):
    return json.loads((run / "history.json").read_text())


def evaluated_map(capsys, *arguments):
    """The mAP that `evaluate` prints, and all that it prints."""
    capsys.readouterr()
    evaluate.main([str(argument) for argument in arguments])
    printed = capsys.readouterr().out
    return float(re.search(r"^mAP +([\d.]+)$", printed, re.MULTILINE)[1]), printed


def build_embedder_of(run):
    """The embedder with which a run without principal components begins."""
    config = RunFolder(run).config()
    keras.utils.set_random_seed(config.run.seed)
    return build_embedder(config)


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory):
    """The folder and the process of a mistake in a shell, which runs beside the tests."""
    folder = tmp_path_factory.mktemp("mistaken")
    with subprocess.Popen(
        [sys.executable, "-m", "nfl_keras.train", "--dataset", "bloms"],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield folder, process


@pytest.fixture(scope="module")
def learned(mistaken, shared):
    """A run that has learned, its epochs 2, 4 and 6 measured."""
    return shared(**LEARNING, evaluate_every=2, crops=3)


@pytest.fixture
def copied(learned, tmp_path):
    """A copy of its folder."""
    return shutil.copytree(learned.path, tmp_path / "copied")


@contextlib.contextmanager
def forgetting():
    """Lets a run lose all that it knew in its second epoch."""
    measure = EvaluateAndSave.on_epoch_end

    def forget_and_measure(self, epoch, logs=None):
        if epoch == 1:
            kernel, bias = self.model.embedder.get_layer("projection").weights
            kernel.assign(0 * kernel)
            bias.assign(0 * bias + 1)
        measure(self, epoch, logs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(EvaluateAndSave, "on_epoch_end", forget_and_measure)
        yield


def test_a_run_leaves_everything_behind(learned):
    run = learned.path
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

    metrics, history = metrics_of(run), history_of(run)
    assert metrics["trained"]["num_queries"] == 24
    assert metrics["final_epoch"] == 6
    places = [
        learned.printed.index(f"{stage:<11}Recall@1 {metrics[stage]['recall_at']['1']:.4f}")
        for stage in ("frozen", "untrained", "trained")
    ]
    assert places == sorted(places)
    assert "projection: principal components of 24 photographs" in learned.printed
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert {"loss", "L_D", "L_N", "L_S", "recall@1", "map"} < set(history)
    measured = {e: m for e, m in zip(history["epoch"], history["map"], strict=True) if m}
    assert list(measured) == [2, 4, 6]
    assert metrics["best_epoch"] == max(measured, key=measured.get)
    assert "images/s" in learned.printed
    assert "colors of training views: as they are" in learned.printed
    report = (run / "report.html").read_text()
    assert "The figures are those of the last epoch, 6, with 3 crops per photograph." in report


def test_a_run_is_evaluated_again(learned, capsys):
    again, printed = evaluated_map(capsys, learned.path)
    metrics = metrics_of(learned.path)
    assert again == pytest.approx(metrics["trained"]["map"], abs=6e-5)
    assert metrics["trained"]["protocol"] in printed


def test_training_learns(learned):
    loss = history_of(learned.path)["loss"]
    assert loss[-1] < 0.8 * loss[0]


def test_several_splits_give_their_mean_and_a_seed_repeats_a_run(learned, quick, tmp_path, capsys):
    train.main(quick(**LEARNING, split_seeds="[0,5]", evaluate_every=0))
    printed = capsys.readouterr().out
    run = tmp_path / "run"
    whole = metrics_of(run)
    for stage in ("frozen", "untrained", "trained"):
        maps = [metrics_of(run / f"split-{seed}")[stage]["map"] for seed in (0, 5)]
        assert whole[stage]["mean"]["mAP"] == pytest.approx(sum(maps) / 2)
        assert re.search(rf"^{stage} .* mAP {sum(maps) / 2:.4f}, mean$", printed, re.MULTILINE)
    assert [split["mAP"] for split in whole["splits"].values()] == maps
    assert "split-5/report.html" in (run / "report.html").read_text()
    assert RunFolder(run).split(5).config().data.split_seeds == [5]
    loss, of_other = (history_of(run / f"split-{seed}")["loss"] for seed in (0, 5))
    assert loss == pytest.approx(history_of(learned.path)["loss"], rel=1e-3)
    assert loss != pytest.approx(of_other, rel=1e-3)

    evaluate.main([str(run)])
    assert f"mAP {whole['trained']['mean']['mAP']:.4f}" in capsys.readouterr().out


def test_the_frozen_row_is_of_the_pooled_features_of_the_backbone(learned):
    config = RunFolder(learned.path).config()
    network, data = config.embedder, config.data
    backbone = keras_hub.models.Backbone.from_preset(network.backbone)
    pixels = keras.layers.Rescaling(1 / 127.5, -1.0)
    pooled = keras.Sequential([pixels, backbone, keras.layers.GlobalAveragePooling2D()])
    inputs = keras.Input((network.image_size, network.image_size, 3))
    model = keras.Model(inputs, keras.layers.UnitNormalization()(pooled(inputs)))
    model.image_size = network.image_size
    query = open_dataset(data.dataset).split("query", "fine-grained", 0)
    report = nfl.retrieval.evaluate(nfl.retrieval.embed(model, query, 3), query.labels)
    frozen = metrics_of(learned.path)["frozen"]
    assert frozen["map"] == pytest.approx(report.map, abs=1e-6)
    assert frozen["recall_at"]["1"] == pytest.approx(report.recall_at[1])


def test_a_run_that_ends_below_the_frozen_backbone_says_so(quick, tmp_path, capsys):
    with forgetting():
        train.main(quick(evaluate_every=2))
    metrics = metrics_of(tmp_path / "run")
    before, after = metrics["frozen"]["map"], metrics["trained"]["map"]
    assert after < before
    *_, warning, last = capsys.readouterr().out.splitlines()
    assert warning.startswith("warning: Training made it worse")
    assert f"mAP ({after:.4f} after {before:.4f})" in warning
    assert "--blend auto" in warning
    assert "report: " in last
    report = html.unescape((tmp_path / "run" / "report.html").read_text())
    assert warning.removeprefix("warning: ") in report


@pytest.fixture(scope="module")
def blended(shared):
    """A run that lost all that it knew, and mixes that with what it began with."""
    with forgetting():
        return shared(blend="auto", validation_classes=2)


def test_a_mixture_is_chosen_on_validation_classes_and_saved(blended, capsys):
    metrics = metrics_of(blended.path)
    assert metrics["trained"]["map"] > 0.9
    tried = metrics["blend"]["validation"]
    assert list(tried) == ["0", "0.125", "0.25", "0.375", "0.5", "0.625", "0.75", "0.875", "1"]
    assert metrics["blend"]["alpha"] < 1
    assert tried["1"]["mAP"] < tried[f"{metrics['blend']['alpha']:g}"]["mAP"]
    assert metrics["trained"]["num_queries"] == 24
    assert "warning" not in blended.printed
    report = (blended.path / "report.html").read_text()
    assert "The model is a mixture" in report
    assert (
        "The share was chosen among 9 by Recall@1 + mAP on: zero-shot, validation: 2 of" in report
    )
    assert "Mixtures" in report

    again, _ = evaluated_map(capsys, blended.path)
    assert again == pytest.approx(metrics["trained"]["map"], abs=6e-5)
    of_last, _ = evaluated_map(capsys, blended.path, "--checkpoint", "last")
    assert of_last < again


def test_a_given_share_needs_no_validation(quick, tmp_path):
    train.main(quick(blend=0.25, epochs=1, projection="random", seed=3, learning_rate=0.1))
    metrics = metrics_of(tmp_path / "run")
    assert metrics["blend"] == {"alpha": 0.25}
    checkpoints = tmp_path / "run" / "checkpoints"
    mixed, last = (
        keras.saving.load_model(checkpoints / f"{name}.keras", compile=False).embedder.get_weights()
        for name in ("blend", "last")
    )
    start = build_embedder_of(tmp_path / "run").get_weights()
    for found, before, after in zip(mixed, start, last, strict=True):
        np.testing.assert_allclose(found, 0.75 * before + 0.25 * after, rtol=1e-5, atol=1e-6)
        assert before.size == 1 or not np.allclose(before, after)
    assert not (checkpoints / "start.npz").exists()


def test_low_rank_updates_are_merged_before_they_are_mixed_and_saved(quick, tmp_path, capsys):
    train.main(quick(lora=2, blend=0.25, epochs=1, learning_rate=0.1, warmup_epochs=0))
    assert "lora: updates of rank 2 of the kernels of " in capsys.readouterr().out
    checkpoints = tmp_path / "run" / "checkpoints"
    mixed, last = (
        keras.saving.load_model(checkpoints / f"{name}.keras", compile=False).embedder
        for name in ("blend", "last")
    )
    start = build_embedder_of(tmp_path / "run")
    kernels = [
        {w.path: w.numpy() for w in model.backbone.weights if w.path.endswith("/kernel")}
        for model in (start, mixed, last)
    ]
    changed = 0
    for before, found, after in zip(*(weights.values() for weights in kernels), strict=True):
        np.testing.assert_allclose(found, 0.75 * before + 0.25 * after, rtol=1e-4, atol=1e-6)
        changed += not np.array_equal(before, after)
    assert changed
    again, _ = evaluated_map(capsys, tmp_path / "run")
    assert again == pytest.approx(metrics_of(tmp_path / "run")["trained"]["map"], abs=6e-5)


def test_validation_keeps_the_test_photographs_out(quick, tmp_path):
    train.main(
        quick(
            evaluate_on="validation",
            protocol="zero-shot",
            classes_per_batch=2,
            epochs=1,
            evaluate_every=0,
        )
    )
    metrics = metrics_of(tmp_path / "run")
    assert metrics["evaluated_on"] == "validation"
    assert metrics["trained"]["num_queries"] == 8  # one of the three training classes
    assert "validation" in metrics["trained"]["protocol"]


@pytest.fixture(scope="module")
def best_by_validation(shared):
    with forgetting():
        return shared(validation_classes=1, final_epoch="best")


def test_the_best_epoch_by_validation_classes_is_reported(best_by_validation, capsys):
    run = best_by_validation.path
    metrics, history = metrics_of(run), history_of(run)
    assert metrics["evaluated_on"] == "test"
    assert metrics["final_epoch"] == metrics["best_epoch"] == 1
    assert history["map"] == [1.0, 1.0]  # one class, in which no other is found
    assert metrics["trained"]["map"] > 0.9
    assert metrics["trained"]["num_queries"] == 24
    assert "validation" not in metrics["trained"]["protocol"]
    report = (run / "report.html").read_text()
    assert "those of epoch 1 of 2" in report
    assert "mAP on held-out validation classes, no test photograph among them" in report
    assert "no test result" not in report
    assert "epochs measured on: zero-shot, validation: 1 of 6" in best_by_validation.printed

    again, printed = evaluated_map(capsys, run)
    assert again == pytest.approx(metrics["trained"]["map"], abs=6e-5)
    assert metrics["trained"]["protocol"] in printed
    last, _ = evaluated_map(capsys, run, "--checkpoint", "last")
    assert last < 0.8


@pytest.fixture(scope="module")
def skipped(shared):
    """A run that left out two bad photographs, and reports its best epoch."""

    def spoil(photographs):
        truncate(photographs / "class 1" / "2.jpg")
        (photographs / "class 4" / "7.jpg").write_text("<html>not found</html>")

    with forgetting():
        return shared(spoil, on_bad_image="skip", final_epoch="best")


def test_bad_photographs_are_skipped_and_listed(skipped, capsys):
    run = skipped.path
    assert json.loads((run / "bad_images.json").read_text()) == {
        "class 1/2.jpg": "truncated or damaged",
        "class 4/7.jpg": "not an image",
    }
    assert "2 of 48 photographs cannot be used" in skipped.printed
    metrics = metrics_of(run)
    assert metrics["trained"]["num_queries"] == 24
    assert metrics["trained"]["protocol"].startswith("fine-grained, split 0: 22 photographs of 6")
    assert metrics["trained"]["protocol"].endswith("; photographs left out that cannot be used: 2")
    report = (run / "report.html").read_text()
    assert "photographs left out that cannot be used: 2" in report
    assert "(bad_images.json)" in report

    again, printed = evaluated_map(capsys, run)
    assert again == pytest.approx(metrics["trained"]["map"], abs=6e-5)
    assert metrics["trained"]["protocol"] in printed


def test_the_best_epoch_by_the_test_queries_is_no_test_result(skipped, capsys):
    metrics, history = metrics_of(skipped.path), history_of(skipped.path)
    assert metrics["final_epoch"] == metrics["best_epoch"] == 1
    assert metrics["trained"]["map"] == pytest.approx(max(history["map"]))
    assert history["map"][1] < 0.8
    report = (skipped.path / "report.html").read_text()
    assert "no test result" in report
    last, _ = evaluated_map(capsys, skipped.path, "--checkpoint", "last")
    assert last == pytest.approx(history["map"][1], abs=6e-5)


@pytest.fixture
def table(photographs):
    """A table of the photographs, every second to test, and one of them gone."""
    names = sorted(path.relative_to(photographs) for path in photographs.glob("*/*.jpg"))
    rows = [f"{n},{n.parent},{('train', 'test')[i % 2]}" for i, n in enumerate(names)]
    (photographs / "some.csv").write_text("\n".join(["path,label,split", *rows]))
    (photographs / "class 3" / "5.jpg").unlink()
    return photographs / "some.csv"


def test_missing_photographs_of_a_table_are_named(quick, table, tmp_path, capsys):
    error = fails(capsys, train, quick(dataset=table))
    assert "class 3/5.jpg" in error
    assert "missing_images" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_missing_photographs_are_skipped_and_white_balance_says_which_ran(
    quick, table, tmp_path, capsys
):
    flags = quick(dataset=table, missing_images="skip", color="white-balance", epochs=1)
    train.main(flags)
    ran = "white balance: random shift along the Planckian locus (no published parameters given)"
    assert ran in capsys.readouterr().out.splitlines()
    metrics = metrics_of(tmp_path / "run")
    assert metrics["trained"]["num_queries"] == 23
    assert "the dataset's own split" in metrics["trained"]["protocol"]
    assert metrics["trained"]["protocol"].endswith("; in part: 47 of 48 photographs")
    report = (tmp_path / "run" / "report.html").read_text()
    assert "White balance: random shift along the Planckian locus" in report
    again, _ = evaluated_map(capsys, tmp_path / "run")
    assert again == pytest.approx(metrics["trained"]["map"], abs=6e-5)


def test_white_balance_parameters_that_are_gone_are_named(quick, tmp_path, capsys):
    gone = tmp_path / "gone"
    flags = quick(color="white-balance", white_balance_parameters=gone)
    assert str(gone) in fails(capsys, train, flags)
    assert not (tmp_path / "run").exists()


def test_a_photograph_damaged_as_training_begins_is_named(quick, photographs, monkeypatch, capsys):
    def damage(self, logs=None):
        for path in photographs.glob("class 2/*.jpg"):
            truncate(path)

    monkeypatch.setattr(EvaluateAndSave, "on_train_begin", damage)
    every = quick(classes_per_batch=6, images_per_class=4, epochs=50, evaluate_every=50)
    error = fails(capsys, train, every)
    assert "8 of 48 photographs cannot be used: class 2/0.jpg (truncated or damaged)" in error
    assert len(error.splitlines()) == 1


def test_without_the_check_a_bad_photograph_is_named_when_it_is_embedded(
    quick, photographs, capsys
):
    for path in photographs.glob("class 2/*.jpg"):
        truncate(path)
    error = fails(capsys, train, quick(check_images=False))
    assert re.search(r"4 of 24 photographs .*: class 2/\d.jpg \(truncated or damaged\)", error)


def test_a_run_evaluated_on_damaged_photographs_names_them(learned, capsys):
    paths = list(learned.photographs.glob("class 2/*.jpg"))
    before = [path.read_bytes() for path in paths]
    try:
        for path in paths:
            truncate(path)
        assert "class 2/0.jpg" in fails(capsys, evaluate, [str(learned.path)])
    finally:
        for path, content in zip(paths, before, strict=True):
            path.write_bytes(content)


def test_several_splits_begin_no_run_if_one_cannot_be_made(quick, photographs, tmp_path, capsys):
    error = fails(
        capsys, train, quick(split_seeds="[3,5]", protocol="zero-shot", validation_classes=3)
    )
    assert "nothing to train" in error
    assert not (tmp_path / "run").exists()


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
        train.main(quick(small_classes="drop", color="jitter", epochs=1, evaluate_every=0))
    assert metrics_of(tmp_path / "run")["best_epoch"] is None
    jitter = "olor jitter: brightness 0.2, contrast 0.2, saturation 0.2, hue 0.02"
    assert f"c{jitter}\n" in capsys.readouterr().out
    assert f"C{jitter}." in (tmp_path / "run" / "report.html").read_text()


def test_a_corrupt_photograph_is_named(quick, photographs, tmp_path, capsys):
    truncate(photographs / "class 2" / "3.jpg")
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


@pytest.mark.parametrize("changed", [{}, {"split_seeds": "[0,1]"}])
def test_a_preset_of_another_image_size_is_named_before_anything_is_written(
    quick, changed, tmp_path, capsys
):
    keras_hub.models.ViTBackbone(
        (28, 28, 3), patch_size=14, num_layers=1, num_heads=1, hidden_dim=4, mlp_dim=4
    ).save_to_preset(tmp_path / "preset")
    error = fails(capsys, train, quick(backbone=tmp_path / "preset", **changed))
    assert "cannot be made for image_size 16; set it to a multiple of 14." in error
    assert not (tmp_path / "run").exists()


def test_evaluating_what_is_no_run_is_one_line(tmp_path, capsys):
    assert "not the folder of a finished run" in fails(capsys, evaluate, [str(tmp_path)])


def test_evaluating_a_torn_checkpoint_is_one_line(copied, capsys):
    checkpoint = copied / "checkpoints" / "last.keras"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    assert "cannot load" in fails(capsys, evaluate, [str(copied)])
    checkpoint.unlink()
    assert "did not get so far" in fails(capsys, evaluate, [str(copied)])


def test_evaluating_after_the_data_moved(learned, capsys):
    moved = learned.photographs.with_name("moved")
    learned.photographs.rename(moved)
    try:
        assert "photographs" in fails(capsys, evaluate, [str(learned.path)])
    finally:
        moved.rename(learned.photographs)


def test_a_checkpoint_that_carries_code_is_refused(copied, capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(copied / "checkpoints" / "last.keras")
    assert "cannot load" in fails(capsys, evaluate, [str(copied)])


def test_from_a_shell_a_mistake_is_one_line_and_code_2(mistaken):
    folder, process = mistaken
    _, error = process.communicate()
    assert process.returncode == 2
    assert "Traceback" not in error
    assert error.splitlines()[-1].startswith("error: there is no dataset")
    assert os.listdir(folder) == []
