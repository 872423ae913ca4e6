"""Defines the error for a photograph that cannot be used, and reasons that servers give, too."""

from nfl_keras.errors import UserError

MAX_PIXELS = 100_000_000
MAX_SIDE = 1_000_000  # pixels; libpng decodes no more
MAX_MEMORY = 96 * 2**20  # bytes that a decoder may hold beside the pixels and the file

EMPTY = "zero bytes"
NOT_AN_IMAGE = "not an image"
DAMAGED = "truncated or damaged"
TOO_LARGE = (
    f"declares too many pixels, more than {MAX_PIXELS:,} by default, or {MAX_SIDE:,} on a side"
)
TOO_COSTLY = (
    f"a decoder needs more than {MAX_MEMORY // 2**20} MiB for it beside its pixels; save it as a "
    f"PNG or a baseline JPEG"
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


def check_cost(height: int, width: int, memory: float, name: str) -> None:
    """Checks what a header declares.

    Args:
        height: int, pixels.
        width: int, pixels.
        memory: number, bytes that a decoder needs beside the pixels and the file.
        name: str, the photograph's id.

    Raises:
        PhotographError: if there are no pixels, or more than `MAX_PIXELS`, `MAX_SIDE` or
            `MAX_MEMORY` allow.
    """
    if not height or not width:
        raise PhotographError(name, DAMAGED)
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise PhotographError(name, TOO_LARGE)
    if memory > MAX_MEMORY:
        raise PhotographError(name, TOO_COSTLY)
