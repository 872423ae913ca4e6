import dataclasses
import pathlib

import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig, dump_config, load_config, read_config

CONFIGS = sorted((pathlib.Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_the_configs_can_be_read_and_name_their_command(file):
    read_config(["--config", str(file)])
    assert f"python -m nfl_keras.train --config configs/{file.name}" in file.read_text()


def test_no_arguments_give_the_defaults():
    assert read_config([]) == TrainConfig()


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("epochs: 3\nlearning_rate: 0.5\nsplit_seeds: [1, 2]\n")
    config = read_config(["--config", str(file), "--epochs", "4"])
    assert (config.epochs, config.learning_rate, config.split_seeds) == (4, 0.5, [1, 2])
    assert config.seed == TrainConfig().seed


def test_a_dumped_config_loads_as_it_was():
    config = TrainConfig.from_settings(
        data_dir="x y", pixel_scale=[0.1, 0.2, 0.3], embedding_dim=None, crops=3
    )
    assert load_config(dump_config(config)) == config


def test_a_dumped_config_holds_every_setting():
    text = dump_config(TrainConfig())
    assert all(f"{field.name}:" in text for field in dataclasses.fields(TrainConfig))


def test_help_explains_every_flag(capsys):
    with pytest.raises(SystemExit) as exit_info:
        read_config(["--help"])
    assert exit_info.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(TrainConfig):
        assert f"--{field.name.replace('_', '-')} " in text
    assert "Weight of L_N, noise invariance." in text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nope", "1"], "--nope"),
        (["--epochs", "0"], "epochs"),
        (["--epochs", "many"], "epochs"),
        (["--crops", "2"], "crops"),
        (["--temperature", "-1"], "temperature"),
        (["--protocol", "loose"], "protocol"),
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--split-seeds", "[]"], "split_seeds"),
        (["--split-seeds", "[1,1]"], "twice"),
        (["--missing-images", "ignore"], "missing"),
        (["--on-bad-image", "ignore"], "on"),
        (["--validation-classes", "-1"], "validation"),
        (["--color", "gray"], "color"),
        (["--on-bad-image", "skip", "--check-images", "false"], "check_images"),
        (["--white-balance-parameters", "some"], "white_balance_parameters"),
        (["--white-balance-parameters", "some", "--color", "jitter"], "white_balance_parameters"),
        (["--final-epoch", "best", "--evaluate-every", "0"], "evaluate_every"),
        (["--early-stopping-epochs", "2", "--evaluate-every", "0"], "evaluate_every"),
        (["--ema", "1"], "ema"),
        (["--momentum", "1"], "momentum"),
        (["--recipe", "noisy"], "recipe"),
        (["--window", "4"], "window is a setting of recipe noise-assisted"),
        (["--pretext", "jigsaw"], "pretext is a setting of recipe noise-assisted"),
        (["--recipe", "noise-assisted", "--lambda-n", "0.5"], "lambda_n is a setting of recipe"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_it(arguments, named):
    with pytest.raises(UserError) as error:
        read_config(arguments)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"on_bad_image": "skip"},
        {"check_images": False},
        {"color": "white-balance", "white_balance_parameters": "some"},
        {"final_epoch": "best", "evaluate_every": 2},
        {"final_epoch": "last", "evaluate_every": 0},
        {"validation_classes": 3, "evaluate_on": "validation", "missing_images": "skip"},
        {"recipe": "noise-assisted", "window": 4, "pretext": "jigsaw", "lambda_softmax": 0.5},
    ],
)
def test_what_fits_together_is_read_and_dumped_as_it_is(settings):
    config = TrainConfig.from_settings(**settings)
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    assert read_config(flags) == config
    assert load_config(dump_config(config)) == config


def test_an_unknown_key_in_the_file_is_named(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("epochz: 3\n")
    with pytest.raises(UserError, match="epochz"):
        read_config(["--config", str(file)])


def test_yaml_cannot_make_objects(tmp_path):
    file = tmp_path / "evil.yaml"
    target = tmp_path / "made"
    file.write_text(f"dataset: !!python/object/apply:pathlib.Path.touch [{target}]\n")
    with pytest.raises(UserError):
        read_config(["--config", str(file)])
    assert not target.exists()
