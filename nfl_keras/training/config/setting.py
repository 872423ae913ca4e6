"""One setting of a run, read off the signature and the docstring that define it."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping

import docstring_parser

from nfl_keras.models import Learner

# What the run itself hands to a recipe.
_GIVEN_BY_THE_RUN = ("self", "embedder", "num_classes", "class_labels", "seed")
_SIMPLE = (bool, int, float, str, type(None))


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting as a flag and as a key of a section in a YAML file.

    Args:
        section: str, the section of the YAML file.
        key: str, the key within the section.
        annotation: type of the value.
        default: value of a run that does not set it.
        description: str, for `--help`.
    """

    section: str
    key: str
    annotation: object
    default: object
    description: str

    @property
    def name(self) -> str:
        """The name that is unique over all sections: `key`, or `section` where `key` is "name"."""
        return self.section if self.key == "name" else self.key


def settings_of_section(section: str, config_class: type) -> list[Setting]:
    """Reads the settings of a section off its dataclass.

    Args:
        section: str, the section's name.
        config_class: dataclass whose docstring describes each field.

    Returns:
        List of `Setting`, one per field.
    """
    descriptions = _descriptions(config_class)
    defaults = config_class()
    return [
        Setting(
            section,
            field.name,
            field.type,
            getattr(defaults, field.name),
            descriptions[field.name],
        )
        for field in dataclasses.fields(config_class)
    ]


def settings_of_recipe(recipe: type[Learner]) -> list[Setting]:
    """Reads the settings of a recipe off the constructor of its class.

    A setting is an argument whose annotation admits `bool`, `int`, `float`, `str` or a `Literal`,
    other than those that the run itself gives: `num_classes`, `class_labels` and `seed`.

    Args:
        recipe: subclass of `Learner`.

    Returns:
        List of `Setting`, in the order of the arguments.
    """
    annotations = typing.get_type_hints(recipe.__init__)
    descriptions = _descriptions(recipe)
    settings = []
    for name, parameter in inspect.signature(recipe.__init__).parameters.items():
        simple = _simple_part(annotations.get(name))
        if name in _GIVEN_BY_THE_RUN or simple is None:
            continue
        # `--help` states each default itself.
        description = descriptions.get(name, "").partition(" Defaults to ")[0]
        settings.append(Setting("recipe", name, simple, parameter.default, description))
    return settings


def names_of(settings: list[Setting]) -> Mapping[str, Setting]:
    """Returns the settings by their names."""
    return {setting.name: setting for setting in settings}


def _descriptions(documented: type) -> dict[str, str]:
    parsed = docstring_parser.parse(
        documented.__doc__ or "", docstring_parser.DocstringStyle.GOOGLE
    )
    return {p.arg_name: " ".join((p.description or "").split()) for p in parsed.params}


def _simple_part(annotation: object) -> object:
    """The part of an annotation that a flag can give, or `None` where there is none."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        parts = [_simple_part(part) for part in typing.get_args(annotation)]
        parts = [part for part in parts if part is not None]
        if not parts or parts == [type(None)]:
            return None
        return typing.Union[tuple(parts)]  # noqa: UP007
    is_simple = annotation in _SIMPLE or typing.get_origin(annotation) is typing.Literal
    return annotation if is_simple else None
