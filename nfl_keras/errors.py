"""The one kind of error that is the user's to mend, and how commands answer it."""

import contextlib
import sys


class UserError(ValueError):
    """Input that cannot be used: one line that says what is wrong, with what, and the mend.

    Functions raise it like any `ValueError`; commands print its line and exit with code 2.
    """


@contextlib.contextmanager
def answered_in_one_line():
    """Around a command: a `UserError` becomes its line on stderr and exit code 2."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        sys.exit(130)
