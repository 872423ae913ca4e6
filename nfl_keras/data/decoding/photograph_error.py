"""Defines the error for a photograph that cannot be used."""

from nfl_keras.errors import UserError

DAMAGED = "truncated or damaged"


class PhotographError(UserError):
    """An error that names a photograph that cannot be used.

    Args:
        name: str, the photograph's id.
        reason: str, what is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the photograph {name!r} cannot be used: {reason}; replace or remove it.")
        self.reason = reason
