"""Defines how a recipe finds its loss by name, with the settings that the loss takes."""

import inspect
from collections.abc import Mapping
from typing import Any

from nfl_keras.errors import UserError


def choose_loss(
    kind: str, name: str, losses: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Finds a loss by its name, and those of a recipe's settings that are given.

    Args:
        kind: str, the setting that names the loss, for errors.
        name: str, a key of `losses`.
        losses: dict of name to the class or function of a loss.
        settings: dict of an argument of a loss to its value, or to `None` where the default of the
            loss holds.

    Returns:
        `(loss, given)`: the class or function, and the settings that are not `None`.

    Raises:
        UserError: if there is no such loss, or it does not take a setting that is given.
    """
    if name not in losses:
        raise UserError(f"there is no {kind} {name!r}; choose one of {', '.join(losses)}.")
    parameters = inspect.signature(losses[name]).parameters
    takes = [setting for setting in settings if setting in parameters]
    given = {setting: value for setting, value in settings.items() if value is not None}
    for setting in given:
        if setting not in takes:
            raise UserError(
                f"{setting} is no setting of the {kind} {name}, which takes "
                f"{' and '.join(takes) or 'none of ' + ', '.join(settings)}; leave it out."
            )
    return losses[name], given
