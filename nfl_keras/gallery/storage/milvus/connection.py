"""Defines how Milvus is asked: its errors become errors that a user can mend."""

import functools
import logging
import os
from typing import Any

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.milvus.address import Address

_SECONDS = 10  # to connect


class Connection:
    """A connection to Milvus, which is made with the first question.

    Args:
        address: `Address`.

    Attributes:
        is_embedded: bool, whether it is to milvus-lite.
    """

    def __init__(self, address: Address) -> None:
        self._address, self.is_embedded = address, address.is_embedded

    def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Calls a method of `pymilvus.MilvusClient`.

        Raises:
            UserError: if pymilvus is not installed, or Milvus cannot be reached or refuses.
        """
        exceptions = (import_pymilvus().MilvusException, OSError)
        address = self._address
        try:
            client = _client(address.server, address.token(), address.database)
        except exceptions as error:
            hint = "check that it runs, and MILVUS_TOKEN if it asks for a token"
            if address.is_embedded:
                hint = "one process at a time can open it"
            raise UserError(
                f"the Milvus of {address.name!r} does not open ({_reason(error)}); {hint}."
            ) from error
        try:
            return getattr(client, method)(*arguments, **named)
        except exceptions as error:
            raise UserError(
                f"Milvus refuses {method} for {address.name!r} ({_reason(error)}); mend that, then "
                f"run the command again."
            ) from error

    @property
    def is_new(self) -> bool:
        """bool, whether there is no database of milvus-lite yet. To connect would make it."""
        return self._address.is_embedded and not os.path.exists(self._address.server)


def import_pymilvus() -> Any:
    """Imports pymilvus.

    Raises:
        UserError: if it is not installed.
    """
    try:
        import pymilvus
    except ImportError as error:
        raise UserError(
            'galleries in Milvus take pymilvus; run pip install "nfl_keras[milvus]".'
        ) from error
    # It logs each error with its traceback; ours say them in one line.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return pymilvus


@functools.lru_cache(maxsize=16)
def _client(server: str, token: str, database: str) -> Any:
    if not server.startswith("http"):
        os.makedirs(os.path.dirname(server), exist_ok=True)
    return import_pymilvus().MilvusClient(server, token=token, db_name=database, timeout=_SECONDS)


def _reason(error: Exception) -> str:
    return str(getattr(error, "message", error)).strip().partition("\n")[0]
