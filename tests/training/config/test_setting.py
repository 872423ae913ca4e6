from typing import Literal

import keras
import pytest

from nfl_keras.models import Learner
from nfl_keras.training.config.setting import settings_of_recipe


class Recipe(Learner):
    """A recipe with arguments of every kind.

    Args:
        embedder: `Embedder`.
        num_classes: int.
        margin: float, of the term,
            over two lines. Defaults to `0.5`.
        mode: `"a"` or `"b"`.
        task: a name, a layer or `None`.
        layer: a layer.
        rate: without a default in its text.
        seed: int.
        **kwargs: as for `keras.Model`.
    """

    def __init__(
        self,
        embedder,
        num_classes: int,
        margin: float = 0.5,
        mode: Literal["a", "b"] = "a",
        task: Literal["c"] | keras.layers.Layer | None = None,
        layer: keras.layers.Layer | None = None,
        rate: float | None = None,
        untyped=3,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(embedder, [], **kwargs)


@pytest.fixture(scope="module")
def settings():
    return {setting.name: setting for setting in settings_of_recipe(Recipe)}


def test_arguments_of_simple_types_are_settings(settings):
    assert list(settings) == ["margin", "mode", "task", "rate"]
    assert {setting.section for setting in settings.values()} == {"recipe"}


def test_types_are_those_that_a_flag_can_give(settings):
    assert settings["margin"].annotation is float
    assert settings["mode"].annotation == Literal["a", "b"]
    assert settings["task"].annotation == Literal["c"] | None
    assert settings["rate"].annotation == float | None


def test_defaults_and_descriptions_are_those_of_the_class(settings):
    assert [setting.default for setting in settings.values()] == [0.5, "a", None, None]
    assert settings["margin"].description == "float, of the term, over two lines."
    assert settings["rate"].description == "without a default in its text."
