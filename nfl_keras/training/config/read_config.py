"""A run's settings from the command line and from YAML, and back."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import jsonargparse
import yaml

from nfl_keras.errors import UserError
from nfl_keras.models.recipes import RECIPES, import_recipe
from nfl_keras.training.config.config_file import parse_config, read_config_file
from nfl_keras.training.config.recipe_config import RecipeConfig
from nfl_keras.training.config.setting import Setting, settings_of_recipe
from nfl_keras.training.config.train_config import TrainConfig, settings_of_run

_TITLES = {
    "data": "data: photographs and batches",
    "embedder": "embedder: the network",
    "recipe": "recipe: how the embedder is taught",
    "optimizer": "optimizer: how the weights change, and for how long",
    "evaluation": "evaluation: what is measured",
    "run": "run: where and how it computes",
}


def read_config(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Reads a `TrainConfig` from flags, over a YAML file given by `--config`, over defaults.

    Args:
        arguments: sequence of str. Defaults to the process' own.

    Returns:
        A `TrainConfig`.

    Raises:
        UserError: if a flag, a key or a value does not fit.
        SystemExit: after `--help`.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    typed = _typed_first(arguments)
    sections = {} if typed.config is None else read_config_file(typed.config)
    recipe = _recipe_name(typed.recipe, sections)
    if typed.recipe is not None:
        if typed.recipe != sections.get("recipe", {}).get("name", typed.recipe):
            sections.pop("recipe", None)
        import_recipe(typed.recipe)
    known = settings_of_run(recipe)
    _refuse_settings_of_other_recipes(arguments, recipe, known)
    parser = _parser(known, recipe)
    try:
        parser.set_defaults(_checked(parser, sections, known, recipe))
        return _as_config(parser.parse_args(arguments))
    except argparse.ArgumentError as error:
        line = " ".join(str(error).split())
        raise UserError(f"{line}. --help explains every flag.") from error


def load_config(text: str, source: str = "the config") -> TrainConfig:
    """Returns the `TrainConfig` of a YAML text, such as `dump_config` writes.

    Args:
        text: str.
        source: str, what to call the text in errors. Defaults to `"the config"`.

    Raises:
        UserError: if a key or a value does not fit, or the recipe is a class from outside of
            nfl_keras that nobody has named on the command line.
    """
    sections = parse_config(text, source)
    recipe = _recipe_name(None, sections)
    known = settings_of_run(recipe)
    parser = _parser(known, recipe)
    try:
        parser.set_defaults(_checked(parser, sections, known, recipe))
        return _as_config(parser.parse_args([]))
    except argparse.ArgumentError as error:
        raise UserError(" ".join(str(error).split())) from error


def dump_config(config: TrainConfig) -> str:
    """Returns a `TrainConfig` as YAML, with every setting."""
    return yaml.safe_dump(config.sections(), sort_keys=False, allow_unicode=True)


def _typed_first(arguments: Sequence[str]) -> argparse.Namespace:
    """What decides which flags there are."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config")
    parser.add_argument("--recipe")
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError as error:
        raise UserError(f"{error}. --help explains every flag.") from error


def _recipe_name(typed: str | None, sections: Mapping[str, Any]) -> str:
    name = typed or sections.get("recipe", {}).get("name", RecipeConfig().name)
    if not isinstance(name, str):
        raise UserError(f"the name of a recipe is text, not {name!r}.")
    return name


def _refuse_settings_of_other_recipes(
    arguments: Sequence[str], recipe: str, known: Sequence[Setting]
) -> None:
    names = {setting.name for setting in known}
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--").replace("-", "_")
        if argument.startswith("--") and name not in names:
            _refuse_setting_of_another_recipe(name, recipe)


def _refuse_setting_of_another_recipe(name: str, recipe: str) -> None:
    for other, learner in RECIPES.items():
        if name in {setting.key for setting in settings_of_recipe(learner)}:
            raise UserError(
                f"{name} is a setting of recipe {other}, and this run's recipe is {recipe}; leave "
                f"it out, or choose the other recipe."
            )


def _checked(
    parser: jsonargparse.ArgumentParser,
    sections: Mapping[str, Mapping[str, Any]],
    known: Sequence[Setting],
    recipe: str,
) -> dict[str, Any]:
    """The settings of a file by name, their types checked."""
    place = {(setting.section, setting.key): setting.name for setting in known}
    values = {}
    for section, keys in sections.items():
        if section not in _TITLES:
            raise UserError(f"there is no section {section!r}; it is one of {', '.join(_TITLES)}.")
        for key, value in keys.items():
            if (section, key) not in place:
                if section == "recipe":
                    _refuse_setting_of_another_recipe(key, recipe)
                right = [s for s, k in place if k == key]
                hint = f"; it stands in section {right[0]!r}" if right else ""
                raise UserError(f"there is no setting {key!r} in section {section!r}{hint}.")
            values[place[section, key]] = value
    return parser.parse_object(values).as_dict()


def _as_config(values: jsonargparse.Namespace) -> TrainConfig:
    settings = values.as_dict()
    settings.pop("config", None)
    return TrainConfig.from_settings(**settings)


def _parser(known: Sequence[Setting], recipe: str) -> jsonargparse.ArgumentParser:
    parser = jsonargparse.ArgumentParser(
        prog="python -m nfl_keras.train",
        description="Trains and evaluates an embedder, and writes a run folder with a report. "
        "--resume RUN alone resumes a run that was stopped, by the settings in its folder.",
        exit_on_error=False,
    )
    parser.add_argument(
        "--config",
        help="YAML file of settings, in the sections that head the flags below. Its 'base: FILE' "
        "names a file that it builds on. Flags win over it.",
    )
    for section, title in _TITLES.items():
        group = parser.add_argument_group(title)
        for setting in known:
            if setting.section == section:
                group.add_argument(
                    f"--{setting.name.replace('_', '-')}",
                    type=setting.annotation,
                    default=setting.default,
                    help=setting.description,
                )
    others = [name for name in RECIPES if name != recipe]
    parser.epilog = (
        f"The flags of recipe are those of {recipe}. Those of another: "
        f"{' or '.join(f'--recipe {name} --help' for name in others)}."
    )
    return parser
