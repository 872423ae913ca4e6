"""Checks of the ranges of settings."""

from typing import Any

from nfl_keras.errors import UserError


def check_at_least(config: Any, minimum: float, *names: str) -> None:
    """Raises `UserError` if a setting, or an entry of it, is below `minimum`.

    Args:
        config: dataclass of settings.
        minimum: float.
        *names: str, of the settings. Those that are `None` pass.
    """
    for name in names:
        if any(not value >= minimum for value in _entries(getattr(config, name))):
            raise UserError(f"{name} must be {minimum} or more, not {getattr(config, name)}.")


def check_above_zero(config: Any, *names: str) -> None:
    """Raises `UserError` if a setting is 0 or below.

    Args:
        config: dataclass of settings.
        *names: str, of the settings.
    """
    for name in names:
        if not getattr(config, name) > 0:
            raise UserError(f"{name} must be above 0, not {getattr(config, name)}.")


def _entries(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
