import pathlib
import re
import shlex

import pytest

import nfl_keras
from nfl_keras.errors import UserError
from nfl_keras.training.config import read_config
from nfl_keras.training.config.config_file import read_config_file
from nfl_keras.training.config.packaged_configs import find_config, packaged_configs

FOLDER = pathlib.Path(nfl_keras.__file__).parent / "configs"


def test_the_names_are_the_files_of_the_package():
    assert packaged_configs() == sorted(file.stem for file in FOLDER.iterdir())


@pytest.mark.parametrize("name", packaged_configs())
def test_a_config_tells_the_command_that_runs_it(name):
    text = (FOLDER / f"{name}.yaml").read_text().replace("\\\n#", "")
    (command,) = re.findall(r"^#   python -m nfl_keras.train (.*)$", text, flags=re.MULTILINE)
    arguments = shlex.split(command)
    assert arguments[:2] == ["--config", name]
    config = read_config(arguments)
    assert config.data.data_dir or config.data.dataset == "flowers17"


def test_a_name_is_read_as_the_path_of_its_file():
    path = FOLDER / "nafl_cub200.yaml"
    assert read_config(["--config", "nafl_cub200"]) == read_config(["--config", str(path)])


def test_a_file_builds_on_a_packaged_config(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("base: flowers17\noptimizer:\n  epochs: 2\n")
    config = read_config(["--config", str(file)])
    assert config == read_config(["--config", "flowers17", "--epochs", "2"])


def test_a_file_wins_over_a_config_of_its_name_and_a_folder_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("flowers17").write_text("optimizer:\n  epochs: 77\n")
    pathlib.Path("cars196_part").mkdir()
    pathlib.Path("mine.yaml").write_text("base: flowers17\n")
    assert read_config(["--config", "flowers17"]).optimizer.epochs == 77
    assert read_config(["--config", "mine.yaml"]).optimizer.epochs == 77
    assert find_config("cars196_part", pathlib.Path()) == FOLDER / "cars196_part.yaml"


@pytest.mark.parametrize("name", ["flowers", "", "~", "."])
def test_an_unknown_name_is_answered_with_those_there_are(tmp_path, name):
    file = tmp_path / "mine.yaml"
    file.write_text(f"base: '{name}'\n")
    for find in (lambda: read_config_file(name), lambda: read_config_file(file)):
        with pytest.raises(UserError) as error:
            find()
        assert repr(name) in str(error.value)
        assert ", ".join(packaged_configs()) in str(error.value)
        assert "path" in str(error.value)


@pytest.mark.parametrize("path", ["flowers17.yaml", "./flowers17", "configs/flowers17.yaml"])
def test_what_has_a_folder_or_a_suffix_is_a_path(path):
    with pytest.raises(UserError, match="cannot be read"):
        read_config_file(path)
