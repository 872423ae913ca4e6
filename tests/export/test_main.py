"""`python -m nfl_keras.export`, as a person uses it."""

import contextlib
import dataclasses
import io
import json
import os
import shutil

import keras
import pytest
import tensorflow as tf

import nfl_keras
from nfl_keras.data.decoding.photograph_error import MAX_PIXELS
from nfl_keras.export.__main__ import main
from nfl_keras.export.deployment_files import deployment_files
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import STAGES, RunFolder

REPORT = nfl_keras.retrieval.RetrievalReport(
    {1: 0.5}, 0.25, {1: 0.5}, {1: 0.5}, {1: 0.5}, {0: 0.25}, 4, 0, 4, "made up"
)


def make_run(path, **settings):
    """A finished run, without the training."""
    keras.utils.set_random_seed(0)
    config = TrainConfig.from_settings(dataset="roses", image_size=16, embedding_dim=5, **settings)
    folder = RunFolder.create(path, config)
    images = keras.Input((None, None, 3))
    backbone = keras.Model(images, keras.layers.Conv2D(6, 3, strides=2)(images))
    embedder = nfl_keras.models.Embedder(backbone, 5, 16, 1 / 127.5, -1.0)
    model = nfl_keras.models.NoiseInvariantModel(embedder, num_classes=2)
    for which in ("last", "best"):
        folder.save_checkpoint(model, which)
    folder.write_json("metrics.json", dict.fromkeys(STAGES, dataclasses.asdict(REPORT)))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    """The folder of a first export, which no test changes, and what was printed."""
    directory, printed = tmp_path_factory.mktemp("served") / "models", io.StringIO()
    with contextlib.redirect_stdout(printed):
        main([str(run), "--to", str(directory), "--name", "roses"])
    return directory, printed.getvalue()


def card_of(version):
    return json.loads((version / "model_card.json").read_text())


def fails(capsys, *arguments):
    """The one line that the command ends with when it exits with code 2."""
    with pytest.raises(SystemExit) as exit_info:
        main([str(argument) for argument in arguments])
    assert exit_info.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_a_run_is_exported_with_all_that_a_server_needs(exported):
    directory, printed = exported
    version = directory / "roses" / "1"
    card = card_of(version)
    largest = card["checked"]["largest_difference"]
    assert f"largest difference from the Keras model on 6 photographs: {largest:.1e}" in printed
    assert f"exported: {version}" in printed
    files = deployment_files(["roses"])
    assert sorted(os.listdir(directory)) == sorted([*files, "roses"])
    for name, text in files.items():
        assert (directory / name).read_text() == text
        assert f"written: {directory / name}" in printed
    assert set(tf.saved_model.load(str(version)).signatures) == {
        "serving_default",
        "embed_center",
        "embed_tensor",
    }


def test_the_card_says_what_the_run_was_and_how_well_it_finds(exported):
    card = card_of(exported[0] / "roses" / "1")
    assert card["config"]["data"]["dataset"] == "roses"
    assert card["data"] == {"dataset": "roses", "photographs_left_out": 0}
    assert card["protocol"] == "made up"
    assert card["metrics"]["map"] == 0.25
    assert card["metrics"]["recall_at"] == {"1": 0.5}
    assert card["checkpoint"] == "last"
    assert "trained from random ones" in card["weights_license"]


def test_another_export_is_another_version_and_leaves_changed_files_alone(
    run, exported, tmp_path, capsys
):
    directory = shutil.copytree(exported[0], tmp_path / "models")
    (directory / "batching_parameters.txt").write_text("max_batch_size { value: 8 }\n")
    capsys.readouterr()
    flags = ["--checkpoint", "best", "--weights-license", "MIT"]
    main([str(run), "--to", str(directory), "--name", "roses", *flags])
    printed = capsys.readouterr().out
    card = card_of(directory / "roses" / "2")
    assert (card["checkpoint"], card["metrics"], card["weights_license"]) == ("best", None, "MIT")
    assert "written: " not in printed
    assert f"kept as it was: {directory / 'batching_parameters.txt'}" in printed
    assert printed.count("kept as it was") == 1
    assert (directory / "batching_parameters.txt").read_text() == "max_batch_size { value: 8 }\n"


def test_settings_reach_the_graph(run, tmp_path):
    arguments = ["--to", str(tmp_path), "--version", "7", "--max-pixels", "1000000"]
    main([str(run), *arguments])
    assert card_of(tmp_path / "embedder" / "7")["max_pixels"] == 1_000_000


def test_mistakes_are_told_in_one_line(run, tmp_path, capsys):
    served = tmp_path / "models"
    nowhere = tmp_path / "nowhere"
    assert "is not the folder of a finished run" in fails(capsys, nowhere, "--to", served)
    assert "cannot be called" in fails(capsys, run, "--to", served, "--name", "a b")
    assert "version must be" in fails(capsys, run, "--to", served, "--version", "0")
    assert "max_pixels must be" in fails(capsys, run, "--to", served, "--max-pixels", "-1")
    assert not served.exists()
    (tmp_path / "file").write_text("")
    assert "cannot write version 1" in fails(capsys, run, "--to", tmp_path / "file")


def test_help_names_the_largest_image_and_does_not_import_tensorflow(in_a_fresh_process):
    printed = in_a_fresh_process(
        "import sys",
        "from nfl_keras.export.__main__ import main",
        "sys.argv = ['export', '--help']",
        "try:",
        "    main()",
        "except SystemExit:",
        "    print(*sys.modules)",
    )
    assert f"(default: {MAX_PIXELS})" in " ".join(printed.split())
    assert not {"keras", "tensorflow"} & set(printed.split())


def test_a_run_over_several_splits_asks_for_one(tmp_path, capsys):
    make_run(tmp_path / "run", split_seeds=[3, 4])
    error = fails(capsys, tmp_path / "run", "--to", tmp_path / "models")
    assert f"over several splits; export one: {tmp_path / 'run' / 'split-3'}." in error


def test_a_run_without_its_checkpoint_or_its_results_is_refused(tmp_path, capsys):
    run = make_run(tmp_path / "run")
    (run / "checkpoints" / "last.keras").write_bytes(b"torn")
    assert "cannot load" in fails(capsys, run, "--to", tmp_path / "models")
    (run / "checkpoints" / "last.keras").unlink()
    assert "the run did not get so far" in fails(capsys, run, "--to", tmp_path / "models")
    (run / "metrics.json").unlink()
    assert "metrics.json" in fails(capsys, run, "--to", tmp_path / "models")
    assert not (tmp_path / "models").exists()
