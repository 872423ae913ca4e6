"""Defines where the page's password comes from, and when there must be one."""

import ipaddress
import os

from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.typing import Path
from nfl_keras.web.limits import LEAST_PASSWORD

VARIABLE = "NFL_KERAS_PASSWORD"


def checked_password(host: str, file: Path | None = None) -> str | None:
    """Reads the password from a file or the environment, never from the command line.

    Args:
        host: str, the address that the page listens on.
        file: str or path, whose first line is the password. Defaults to `None`: the environment
            variable `NFL_KERAS_PASSWORD`.

    Returns:
        str, or `None` if there is none and only this machine reaches `host`.

    Raises:
        UserError: if the file cannot be read, the password is shorter than 8 characters, or there
            is none though other machines reach `host`.

    Example:

    >>> from nfl_keras.web import checked_password
    >>> checked_password("0.0.0.0")
    Traceback (most recent call last):
        ...
    nfl_keras.errors.UserError: other machines reach 0.0.0.0, so the page needs a password; give it
        by --password-file or the environment variable NFL_KERAS_PASSWORD.
    """
    password = os.environ.get(VARIABLE) if file is None else _first_line(file)
    if password is None:
        if is_loopback(host):
            return None
        raise UserError(
            f"other machines reach {host}, so the page needs a password; give it by "
            f"--password-file or the environment variable {VARIABLE}."
        )
    if len(password) < LEAST_PASSWORD:
        raise UserError(
            f"the password has {len(password)} characters; take {LEAST_PASSWORD} or more."
        )
    return password


def is_loopback(host: str) -> bool:
    """Tells whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_line(file: Path) -> str:
    try:
        return local_path(file).read_text().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UserError(f"the password file {str(file)!r} cannot be read ({reason}).") from error
