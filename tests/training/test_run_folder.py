import json
import os

import keras
import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder


def test_a_new_folder_holds_its_config(tmp_path):
    config = TrainConfig.from_settings(epochs=3, data_dir="somewhere")
    folder = RunFolder.create(tmp_path / "a" / "run", config)
    assert folder.config() == config
    assert os.listdir(folder.path) == ["config.yaml"]


def test_an_empty_folder_will_do(tmp_path):
    RunFolder.create(tmp_path, TrainConfig())
    assert RunFolder(tmp_path).config() == TrainConfig()


def test_another_run_is_left_alone(tmp_path):
    RunFolder.create(tmp_path / "run", TrainConfig.from_settings(epochs=3))
    with pytest.raises(UserError, match="holds another run"):
        RunFolder.create(tmp_path / "run", TrainConfig.from_settings(epochs=4))
    assert RunFolder(tmp_path / "run").config().optimizer.epochs == 3


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="holds other files"):
        RunFolder.create(tmp_path, TrainConfig())
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot write to the run folder"):
        RunFolder.create(tmp_path / "file" / "run", TrainConfig())


def test_json_is_replaced_whole(tmp_path):
    folder = RunFolder.create(tmp_path, TrainConfig())
    folder.write_json("metrics.json", {"map": 0.5})
    with pytest.raises(TypeError):
        folder.write_json("metrics.json", {"map": object()})
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"map": 0.5}


def test_bad_photographs_are_listed(tmp_path):
    bad = {"class 1/ä.jpg": "zero bytes", "2.jpg": "not an image"}
    folder = RunFolder.create(tmp_path / "run", TrainConfig(), bad)
    assert sorted(os.listdir(folder.path)) == ["bad_images.json", "config.yaml"]
    assert RunFolder(tmp_path / "run").bad_images() == bad


@pytest.mark.parametrize("bad", [(), {}])
def test_without_bad_photographs_none_are_listed(tmp_path, bad):
    folder = RunFolder.create(tmp_path / "run", TrainConfig(), bad)
    assert os.listdir(folder.path) == ["config.yaml"]
    assert folder.bad_images() == {}


@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b'"class 1"', b"\xff"])
def test_a_spoilt_list_of_bad_photographs_is_named(tmp_path, content):
    folder = RunFolder.create(tmp_path / "run", TrainConfig(), {"1.jpg": "zero bytes"})
    (folder.path / "bad_images.json").write_bytes(content)
    with pytest.raises(UserError, match=r"bad_images\.json") as refused:
        folder.bad_images()
    assert "\n" not in str(refused.value)


def test_a_checkpoint_is_replaced_whole(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path, TrainConfig())
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    folder.save_checkpoint(model, "last")
    before = folder.checkpoint("last").read_bytes()

    def fails(self, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(keras.Sequential, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        folder.save_checkpoint(model, "last")
    assert folder.checkpoint("last").read_bytes() == before


def test_a_copy_of_a_checkpoint_stays_as_it_was(tmp_path):
    folder = RunFolder.create(tmp_path, TrainConfig())
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    folder.save_checkpoint(model, "last")
    before = folder.checkpoint("last").read_bytes()
    folder.copy_checkpoint("last", "best-3")
    model.set_weights([np.full((1, 1), 7.0), np.zeros(1)])
    folder.save_checkpoint(model, "last")
    assert folder.checkpoint("best-3").read_bytes() == before
    assert folder.checkpoint("last").read_bytes() != before


def test_what_is_no_run_folder_is_said_to_be_none(tmp_path):
    with pytest.raises(UserError, match="not the folder of a finished run"):
        RunFolder(tmp_path).config()
