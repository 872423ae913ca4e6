"""Defines the error for a photograph that cannot be used, and reasons that servers give, too."""

from nfl_keras.errors import UserError

MAX_PIXELS = 100_000_000
MAX_SIDE = 1_000_000  # pixels; libpng decodes no more

EMPTY = "zero bytes"
NOT_AN_IMAGE = "not an image"
DAMAGED = "truncated or damaged"
TOO_LARGE = (
    f"declares too many pixels, more than {MAX_PIXELS:,} by default, or {MAX_SIDE:,} on a side"
)
NO_DIRECTION = "its embedding has no direction, since it is zero or not finite"


class PhotographError(UserError):
    """An error that names a photograph that cannot be used.

    Args:
        name: str, the photograph's id.
        reason: str, what is wrong with it.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the photograph {name!r} cannot be used: {reason}; replace or remove it.")
        self.reason = reason
