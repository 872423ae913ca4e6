"""Defines the check of a loss's temperature."""

from nfl_keras.errors import UserError


def check_temperature(temperature: float) -> None:
    """Checks that a temperature is above 0.

    Raises:
        UserError: if it is not.
    """
    if not temperature > 0:
        raise UserError(f"temperature must be above 0, not {temperature}; 0.1 is usual.")
