import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.config import TrainConfig


def test_settings_go_to_their_sections():
    config = TrainConfig.from_settings(
        dataset="cars196", image_size=96, recipe="noise-assisted", window=4, crops=3, seed=7
    )
    assert config.data.dataset == "cars196"
    assert config.embedder.image_size == 96
    assert config.recipe.settings["window"] == 4
    assert config.evaluation.crops == 3
    assert config.run.seed == 7


def test_what_is_replaced_differs_and_nothing_else():
    config = TrainConfig.from_settings(optimizer="sgd", epochs=3, noise_stddev=0.2)
    changed = config.replace(epochs=5, noise_stddev=0.3)
    differences = {
        name for name, value in changed.settings().items() if config.settings()[name] != value
    }
    assert differences == {"epochs", "noise_stddev"}
    assert changed.replace(epochs=3, noise_stddev=0.2) == config


def test_every_setting_stands_in_one_section():
    config = TrainConfig()
    keys = [key for section in config.sections().values() for key in section]
    assert len(keys) == len(config.settings())


@pytest.mark.parametrize("settings", [{"epochz": 3}, {"window": 4}, {"settings": {}}])
def test_what_is_no_setting_is_named(settings):
    with pytest.raises(UserError, match=f"no setting {next(iter(settings))!r}"):
        TrainConfig.from_settings(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lambda_n": -1.0}, "none may be below 0"),
        ({"lambda_d": 0.0, "lambda_n": 0.0, "lambda_s": 0.0}, "leave nothing to learn"),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"noise_stddev": -0.1}, "noise_stddev must be 0 or more"),
        ({"label_smoothing": 1.0}, "label_smoothing must lie in"),
        ({"recipe": "noise-assisted", "lambda_intra": -1.0}, "none may be below 0"),
        ({"recipe": "noise-assisted", "lambda_inter": 0.0, "lambda_intra": 0.0}, "leave nothing"),
        ({"recipe": "noise-assisted", "window": 0}, "window must be a whole number"),
        ({"recipe": "noise-assisted", "temperature": 0.0}, "temperature must be above 0"),
    ],
)
def test_a_recipes_settings_are_checked_before_any_photograph_is_read(settings, message):
    with pytest.raises(UserError, match=message) as refused:
        TrainConfig.from_settings(**settings)
    assert "\n" not in str(refused.value)
