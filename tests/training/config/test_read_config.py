import pytest

from nfl_keras.errors import UserError
from nfl_keras.models.recipes import RECIPES
from nfl_keras.training.config import TrainConfig, dump_config, load_config, read_config
from nfl_keras.training.config.train_config import settings_of_run


def test_no_arguments_give_the_defaults():
    assert read_config([]) == TrainConfig()


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text(
        "data:\n  split_seeds: [1, 2]\noptimizer:\n  epochs: 3\n  learning_rate: 5e-1\n"
    )
    config = read_config(["--config", str(file), "--epochs", "4"])
    assert config == TrainConfig.from_settings(epochs=4, learning_rate=0.5, split_seeds=[1, 2])


def test_a_setting_called_name_has_the_flag_of_its_section():
    config = read_config(["--optimizer", "sgd", "--recipe", "noise-assisted"])
    assert config.optimizer.name == "sgd"
    assert config.recipe.name == "noise-assisted"


def test_a_dumped_config_loads_as_it_was():
    config = TrainConfig.from_settings(
        data_dir="x y", pixel_scale=[0.1, 0.2, 0.3], embedding_dim=None, crops=3
    )
    assert load_config(dump_config(config)) == config


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_dumped_config_holds_every_setting(recipe):
    text = dump_config(TrainConfig.from_settings(recipe=recipe))
    assert all(f"  {setting.key}:" in text for setting in settings_of_run(recipe))


@pytest.mark.parametrize("recipe", RECIPES)
def test_help_explains_every_flag_in_groups(recipe, capsys):
    with pytest.raises(SystemExit) as exit_info:
        read_config(["--recipe", recipe, "--help"], prog="some command")
    assert exit_info.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "usage: some command" in text
    for setting in settings_of_run(recipe):
        assert f"--{setting.name.replace('_', '-')} " in text
        assert setting.description
        # argparse may break a line within a word that has a hyphen.
        assert setting.description.replace(" ", "") in text.replace(" ", "")
    for section in ("data", "embedder", "recipe", "optimizer", "evaluation", "run"):
        assert f" {section}: " in text
    unbroken = text.replace(" ", "")
    assert all(f"--recipe{other}--help" in unbroken for other in set(RECIPES) - {recipe})


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--nope", "1"], "--nope"),
        (["--epochs", "0"], "epochs"),
        (["--epochs", "many"], "epochs"),
        (["--crops", "2"], "crops"),
        (["--ks", "[2,4]"], "ks must be 1 or more, and 1 among them, not [2, 4]"),
        (["--ks", "[0,1]"], "ks must be 1 or more"),
        (["--temperature", "-1"], "temperature"),
        (["--protocol", "loose"], "protocol"),
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--config", "missing"], "no config is named 'missing'"),
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
        (["--recipe"], "recipe"),
        (["--recipe", "no.such.Recipe"], "cannot import 'no.such'"),
        (["--recipe", "nfl_keras.models.Embedder"], "not a subclass"),
        (["--label-smoothing", "1"], "label_smoothing"),
        (["--lambda-d", "-1"], "lambda_d"),
        (["--image-size", "0"], "image_size must be 1 or more"),
        (["--learning-rate", "0"], "learning_rate must be above 0"),
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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("optimizer:\n  epochz: 3\n", "no setting 'epochz' in section 'optimizer'"),
        ("data:\n  epochs: 3\n", "it stands in section 'optimizer'"),
        ("datum:\n  dataset: blooms\n", "no section 'datum'"),
        ("epochs: 3\n", "'epochs' outside of a section"),
        ("- epochs\n", "must hold sections"),
        ("data: [\n", "is not YAML"),
        ("optimizer:\n  epochs: many\n", "epochs"),
        ("optimizer:\n  epochs: 0\n", "epochs must be 1 or more"),
        ("run:\n  chunk_size: -1\n", "chunk_size must be 0 or more"),
        ("recipe:\n  window: 4\n", "window is a setting of recipe noise-assisted"),
        ("recipe:\n  name: 4\n", "no recipe 4"),
        ("recipe:\n  name: os.path.Recipe\n", "not a subclass"),
        ("recipe:\n  name: antigravity.Recipe\n", "add --recipe antigravity.Recipe"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, named):
    file = tmp_path / "some.yaml"
    file.write_text(text)
    for read in (lambda: read_config(["--config", str(file)]), lambda: load_config(text)):
        with pytest.raises(UserError) as error:
            read()
        assert named in str(error.value)
        assert "\n" not in str(error.value)


def test_a_recipe_named_by_a_flag_takes_no_settings_of_the_files_recipe(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("recipe:\n  name: noise-assisted\n  window: 4\n  temperature: 0.2\n")
    same = read_config(["--config", str(file), "--recipe", "noise-assisted"])
    assert same.recipe.settings["window"] == 4
    other = read_config(["--config", str(file), "--recipe", "noise-invariant"])
    assert other.recipe.settings["temperature"] == 0.1


def test_yaml_cannot_make_objects(tmp_path):
    file = tmp_path / "evil.yaml"
    target = tmp_path / "made"
    file.write_text(f"data:\n  dataset: !!python/object/apply:pathlib.Path.touch [{target}]\n")
    with pytest.raises(UserError):
        read_config(["--config", str(file)])
    assert not target.exists()
