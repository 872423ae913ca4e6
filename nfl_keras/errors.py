"""Defines the error that a user can correct, and how a command reports it."""

import contextlib
import sys
from collections.abc import Iterator


class UserError(ValueError):
    """An error for input that cannot be used, with a message of one line.

    The message says what is wrong, with what, and how to correct it. A function raises this error
    like any `ValueError`; a command prints the message and exits with code 2.
    """


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
