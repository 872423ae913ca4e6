"""Every setting of a training run."""

import dataclasses
from typing import Any, Literal

from nfl_keras.errors import UserError
from nfl_keras.models.recipes import find_recipe
from nfl_keras.training.config.data_config import DataConfig
from nfl_keras.training.config.embedder_config import EmbedderConfig
from nfl_keras.training.config.evaluation_config import EvaluationConfig
from nfl_keras.training.config.optimizer_config import OptimizerConfig
from nfl_keras.training.config.recipe_config import RecipeConfig
from nfl_keras.training.config.run_config import RunConfig
from nfl_keras.training.config.setting import Setting, settings_of_recipe, settings_of_section

SECTIONS = {
    "data": DataConfig,
    "embedder": EmbedderConfig,
    "optimizer": OptimizerConfig,
    "evaluation": EvaluationConfig,
    "run": RunConfig,
}


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """Settings of a training run. The defaults train on `blooms` from random weights.

    Args:
        data: `DataConfig`.
        embedder: `EmbedderConfig`.
        recipe: `RecipeConfig`.
        optimizer: `OptimizerConfig`.
        evaluation: `EvaluationConfig`.
        run: `RunConfig`.

    Example:

    >>> config = TrainConfig.from_settings(dataset="cars196", recipe="noise-assisted", window=4)
    >>> config.recipe.settings["window"]
    4
    """

    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    embedder: EmbedderConfig = dataclasses.field(default_factory=EmbedderConfig)
    recipe: RecipeConfig = dataclasses.field(default_factory=RecipeConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)
    run: RunConfig = dataclasses.field(default_factory=RunConfig)

    @classmethod
    def from_settings(cls, **settings: Any) -> "TrainConfig":
        """Makes a config from settings by the names of their flags.

        Args:
            **settings: values by name, with `_` where the flag has `-`.

        Returns:
            A `TrainConfig`, with defaults for all other settings.

        Raises:
            UserError: if a name or a value does not fit.
        """
        recipe = settings.get("recipe", RecipeConfig().name)
        known = {setting.name: setting for setting in settings_of_run(recipe)}
        sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        of_recipe = {}
        for name, value in settings.items():
            if name not in known:
                raise UserError(f"there is no setting {name!r} of a run by recipe {recipe}.")
            setting = known[name]
            if setting.section == "recipe":
                of_recipe[setting.key] = value
            else:
                sections[setting.section][setting.key] = value
        of_recipe.pop("name", None)
        return cls(
            recipe=RecipeConfig(recipe, of_recipe),
            **{name: SECTIONS[name](**values) for name, values in sections.items()},
        )

    @property
    def evaluated_on(self) -> Literal["test", "validation"]:
        """Which photographs give the run's figures. A run that trains on all has no test."""
        return "validation" if self.data.train_on == "all" else self.evaluation.evaluate_on

    def settings(self) -> dict[str, Any]:
        """Returns every setting by the name of its flag, as `from_settings` takes them."""
        sections = self.sections()
        return {
            setting.name: sections[setting.section][setting.key]
            for setting in settings_of_run(self.recipe.name)
        }

    def sections(self) -> dict[str, dict[str, Any]]:
        """Returns every setting by section and key, as YAML files have them."""
        values = {name: dataclasses.asdict(getattr(self, name)) for name in SECTIONS}
        return {**values, "recipe": {"name": self.recipe.name, **self.recipe.settings}}

    def replace(self, **settings: Any) -> "TrainConfig":
        """Returns a config that differs in some settings.

        Args:
            **settings: values by the names of their flags, as for `from_settings`.

        Raises:
            UserError: if a name or a value does not fit.
        """
        return self.from_settings(**{**self.settings(), **settings})


def settings_of_run(recipe: str) -> list[Setting]:
    """Returns the settings of a run by a recipe, section by section.

    Args:
        recipe: str, the recipe's name, see `nfl_keras.models.recipes.find_recipe`.

    Raises:
        UserError: if there is no such recipe.
    """
    settings = [s for name, config in SECTIONS.items() for s in settings_of_section(name, config)]
    name = settings_of_section("recipe", RecipeConfig)[0]
    return [*settings, name, *settings_of_recipe(find_recipe(recipe))]
