"""`~` is the home folder wherever a path is given, also where no shell expands it."""

import os
import shutil

import pytest

from nfl_keras import evaluate, noise_figure, serving, train
from nfl_keras.data import load
from nfl_keras.errors import UserError
from nfl_keras.export.__main__ import main as export
from nfl_keras.layers import WhiteBalanceEmulation

BASE = """
data:
  dataset: ~/photographs
  protocol: fine-grained
  classes_per_batch: 3
  images_per_class: 2
embedder:
  backbone: ~/preset
  image_size: 16
  embedding_dim: 8
optimizer:
  epochs: 1
"""


@pytest.fixture
def home(tmp_path, monkeypatch, preset, draw_photographs):
    home = tmp_path / "home"
    draw_photographs(home / "photographs")
    shutil.copytree(preset, home / "preset")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return home


def test_from_photographs_to_a_served_model(home, capsys):
    (home / "base.yaml").write_text(BASE)
    (home / "run.yaml").write_text("base: ~/base.yaml\nrun:\n  run_dir: ~/runs/first\n")
    train.main(["--config=~/run.yaml"])
    train.main(["--resume=~/runs/first"])
    assert "is finished" in capsys.readouterr().out
    evaluate.main(["~/runs/first", "--data-dir=~/photographs"])
    export(["~/runs/first", "--to=~/models"])
    photograph = "~/photographs/class 1/0.jpg"
    with (
        serving.Server("~/models", port=0) as server,
        serving.Client(f"localhost:{server.port}") as client,
    ):
        assert client.embed(photograph).ok.all()
    noise_figure.main([photograph, "--image-size=32", "--windows=4", "--output=~/noise.png"])
    made = {"base.yaml", "run.yaml", "runs", "models", "noise.png", "photographs", "preset"}
    assert set(os.listdir(home)) == made
    assert os.listdir() == []


@pytest.mark.parametrize("name", ["photographs", "photographs.csv", "photographs.parquet"])
def test_datasets(home, name):
    if name != "photographs":
        with pytest.raises(UserError, match=str(home / name)):
            load(f"~/{name}")
    else:
        assert len(load("~/photographs", split="all")) == 48
    with pytest.raises(UserError, match=f"is not found in '{home / 'photographs'}'"):
        load("flowers17", data_dir="~/photographs")


def test_parameters_and_certificates(home):
    named = str(home / "keys")
    with pytest.raises(UserError, match=named):
        WhiteBalanceEmulation("~/keys")
    with pytest.raises(UserError, match=named):
        serving.Tls("~/keys/a.crt", "~/keys/a.key").load()
    with pytest.raises(UserError, match=named):
        serving.Client("localhost:1", certificate_authority="~/keys/ca.crt")
