"""A run's settings from the command line and from YAML, and back."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonargparse
import yaml

from nfl_keras.errors import UserError
from nfl_keras.models.recipes import RECIPES, find_recipe, import_recipe
from nfl_keras.training.config.config_file import overlay, parse_config, read_config_file
from nfl_keras.training.config.packaged_configs import packaged_configs
from nfl_keras.training.config.recipe_config import RecipeConfig
from nfl_keras.training.config.setting import Setting, settings_of_recipe
from nfl_keras.training.config.train_config import TrainConfig, settings_of_run

PROG = "python -m nfl_keras.train"
_TITLES = {
    "data": "data: photographs and batches",
    "embedder": "embedder: the network",
    "recipe": "recipe: how the embedder is taught",
    "optimizer": "optimizer: how the weights change, and for how long",
    "evaluation": "evaluation: what is measured",
    "run": "run: where and how it computes",
}


def read_config(arguments: Sequence[str] | None = None, prog: str = PROG) -> TrainConfig:
    """Reads a `TrainConfig` from flags, over the file of `--config`, over defaults.

    A recipe from outside of nfl_keras is imported if `--recipe` names it, and by no file.

    Args:
        arguments: sequence of str. Defaults to the process' own.
        prog: str, the command that `--help` shows. Defaults to `"python -m nfl_keras.train"`.

    Returns:
        A `TrainConfig`.

    Raises:
        UserError: if a flag, a key or a value does not fit.
        SystemExit: after `--help`.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    file, recipe = _file_and_recipe(arguments)
    sections = {} if file is None else read_config_file(file)
    if recipe is not None:
        import_recipe(recipe)
        sections = overlay(sections, {"recipe": {"name": recipe}})
    try:
        return _parse(sections, arguments, prog)
    except argparse.ArgumentError as error:
        raise UserError(f"{_one_line(error)}. --help explains every flag.") from error


def load_config(text: str, source: str = "the config") -> TrainConfig:
    """Returns the `TrainConfig` of a YAML text that `dump_config` wrote.

    Args:
        text: str.
        source: str, the name of the text in errors. Defaults to `"the config"`.

    Raises:
        UserError: if a key or a value does not fit, or the recipe is a class from outside of
            nfl_keras that this process has not imported.
    """
    try:
        return _parse(parse_config(text, source), [], PROG)
    except argparse.ArgumentError as error:
        raise UserError(_one_line(error)) from error


def dump_config(config: TrainConfig) -> str:
    """Returns a `TrainConfig` as YAML, with every setting in its section."""
    return yaml.safe_dump(config.sections(), sort_keys=False, allow_unicode=True)


def _file_and_recipe(arguments: Sequence[str]) -> tuple[str | None, str | None]:
    """The two arguments that decide which others there are."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config")
    parser.add_argument("--recipe")
    try:
        given, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(f"{error}. --help explains every flag.") from error
    return given.config, given.recipe


def _parse(
    sections: Mapping[str, Mapping[str, Any]], arguments: Sequence[str], prog: str
) -> TrainConfig:
    """Parses flags over the sections of a file over the defaults."""
    for section in sections:
        if section not in _TITLES:
            raise UserError(f"there is no section {section!r}; choose one of {', '.join(_TITLES)}.")
    recipe = sections.get("recipe", {}).get("name", RecipeConfig().name)
    find_recipe(recipe)
    known = settings_of_run(recipe)
    parser = _parser(known, recipe, prog)
    _refuse_settings_of_other_recipes(_flag_names(arguments), recipe, known)
    of_file = parser.parse_object(_by_name(sections, recipe, known))
    parser.set_defaults(of_file.as_dict())
    settings = parser.parse_args(arguments).as_dict()
    del settings["config"]
    return TrainConfig.from_settings(**settings)


def _by_name(
    sections: Mapping[str, Mapping[str, Any]], recipe: str, known: Sequence[Setting]
) -> dict[str, Any]:
    """The settings of a file by the names of their flags."""
    names = {(setting.section, setting.key): setting.name for setting in known}
    _refuse_settings_of_other_recipes(sections.get("recipe", {}), recipe, known)
    values = {}
    for section, settings in sections.items():
        for key, value in settings.items():
            if (section, key) not in names:
                right = [s for s, k in names if k == key]
                hint = f"; it stands in section {right[0]!r}" if right else ""
                raise UserError(f"there is no setting {key!r} in section {section!r}{hint}.")
            values[names[section, key]] = value
    return values


def _flag_names(arguments: Sequence[str]) -> list[str]:
    flags = [argument for argument in arguments if argument.startswith("--")]
    return [flag.partition("=")[0].removeprefix("--").replace("-", "_") for flag in flags]


def _refuse_settings_of_other_recipes(
    names: Iterable[str], recipe: str, known: Sequence[Setting]
) -> None:
    for name in set(names) - {setting.name for setting in known} - {"name"}:
        for other, learner in RECIPES.items():
            if name in {setting.key for setting in settings_of_recipe(learner)}:
                raise UserError(
                    f"{name} is a setting of recipe {other}, and the recipe of this run is "
                    f"{recipe}; leave it out, or choose the other recipe."
                )


def _parser(known: Sequence[Setting], recipe: str, prog: str) -> jsonargparse.ArgumentParser:
    others = " or ".join(f"--recipe {name} --help" for name in RECIPES if name != recipe)
    parser = jsonargparse.ArgumentParser(
        prog=prog,
        usage="%(prog)s [--dataset NAME] [--config NAME] [--recipe NAME] [--SETTING VALUE ...]\n"
        "       %(prog)s --resume RUN",
        description="Trains and evaluates an embedder, and writes a run folder with a report. "
        "--resume RUN resumes a run that was stopped, by the settings in its folder.",
        epilog=f"The flags of recipe belong to {recipe}. For another recipe: {others}.",
        exit_on_error=False,
    )
    parser.add_argument(
        "--config",
        metavar="NAME",
        help="Settings of a packaged config, by its name "
        f"({', '.join(packaged_configs())}), or of a YAML file, by its path, in sections as below "
        "(data, embedder, ...). The line 'base: NAME' of a file names, in the same way, what it "
        "builds on. Flags win over files.",
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
    return parser


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
