"""Defines the error that a user can correct, and how a command reports it."""

import contextlib
import re
import sys
from collections.abc import Iterator


class UserError(ValueError):
    """An error for input that cannot be used, with a message of one line.

    The message says what is wrong, with what, and how to correct it. A function raises this error
    like any `ValueError`; a command prints the message and exits with code 2.
    """


@contextlib.contextmanager
def explain_out_of_memory(work: str, remedy: str) -> Iterator[None]:
    """Turns an error about memory, of any backend, into a `UserError` that says what to lower.

    Args:
        work: str, what there is not enough memory for.
        remedy: str, what to lower, with the values now.

    Raises:
        UserError: if the body runs out of memory. Other errors stay as they are.

    Example:

    >>> from nfl_keras.errors import explain_out_of_memory
    >>> with explain_out_of_memory("64 photographs", "lower batch_size (now 64)"):
    ...     raise MemoryError
    Traceback (most recent call last):
        ...
    nfl_keras.errors.UserError: not enough memory for 64 photographs; lower batch_size (now 64).
    """
    try:
        yield
    except Exception as error:
        found = _out_of_memory(error)
        if found is None:
            raise
        reason = f" ({found})" if found else ""
        raise UserError(f"not enough memory for {work}{reason}; {remedy}.") from error


def _out_of_memory(error: Exception) -> str | None:
    """Returns the line of an error that tells of memory, and `None` for any other error."""
    # The backends are not imported for their classes. TensorFlow gives full disks the same class.
    names = {kind.__name__ for kind in type(error).__mro__}
    lines = str(error).splitlines()
    about = [line.strip() for line in lines if re.search("OOM|memory|allocate", line, re.I)]
    if "MemoryError" in names:
        return about[0] if about else ""
    exhausted = names & {"ResourceExhaustedError", "OutOfMemoryError"}
    if about and (exhausted or "RESOURCE_EXHAUSTED" in str(error) or "can't allocate" in about[0]):
        return about[0]
    return None


@contextlib.contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Prints the message of a `UserError` to stderr and exits a command with code 2.

    After an interrupt by the keyboard the command exits with code 130.
    """
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        sys.exit(130)
