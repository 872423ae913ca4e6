"""YAML files of settings, which may build on one another."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import yaml

from nfl_keras.errors import UserError
from nfl_keras.training.config.packaged_configs import find_config

BASE = "base"


def read_config_file(name_or_path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Reads a YAML file of settings over the file that it names as its `base`.

    Each setting of the file replaces the same setting of its base. If the file names another
    recipe than its base, it takes none of the settings of the base's recipe.

    Args:
        name_or_path: str or path, a file or the name of a packaged config. So is the file's
            `base`, relative to its own folder.

    Returns:
        Dict of section to a dict of key to value, nothing of it checked but its form.

    Raises:
        UserError: if a file cannot be read, is not of this form, or is its own base, or no
            packaged config has that name.
    """
    return _read(find_config(name_or_path, pathlib.Path()), ())


def parse_config(text: str, source: str) -> dict[str, Any]:
    """Parses the YAML text of a file of settings.

    Args:
        text: str.
        source: str, what to call it in errors.

    Returns:
        Dict of section to a dict of key to value, and perhaps `"base"` to a str.

    Raises:
        UserError: if the text is not of this form.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{source} is not YAML: {' '.join(str(error).split())}.") from error
    content = {} if content is None else content
    if not isinstance(content, dict):
        raise UserError(f"{source} must hold sections of settings, not {content!r}.")
    for section, values in content.items():
        if section == BASE and isinstance(values, str):
            continue
        if not isinstance(values, dict):
            raise UserError(
                f"{source} has {section!r} outside of a section; write it as in the line "
                f"'data:' with '  dataset: blooms' below it."
            )
    return content


def overlay(base: Mapping[str, dict], changes: Mapping[str, dict]) -> dict[str, dict[str, Any]]:
    """Lays the sections of one file over those of its base.

    Args:
        base: mapping of section to settings.
        changes: the same, of the file that builds on it.

    Returns:
        Dict of section to settings.
    """
    base = dict(base)
    name = changes.get("recipe", {}).get("name")
    if name not in (None, base.get("recipe", {}).get("name")):
        base.pop("recipe", None)
    sections = [*base, *(section for section in changes if section not in base)]
    return {s: {**base.get(s, {}), **changes.get(s, {})} for s in sections}


def _read(path: pathlib.Path, builders: tuple[pathlib.Path, ...]) -> dict[str, dict[str, Any]]:
    if path.resolve() in builders:
        raise UserError(f"{str(path)!r} is its own base; remove one 'base:' of the circle.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UserError(f"the config {str(path)!r} cannot be read ({reason}).") from error
    content = parse_config(text, repr(str(path)))
    base = content.pop(BASE, None)
    if base is None:
        return content
    below = _read(find_config(base, path.parent), (*builders, path.resolve()))
    return overlay(below, content)
