"""Defines the URI of a gallery in Milvus."""

import dataclasses
import os
import pathlib
import re
import urllib.parse

from nfl_keras.errors import UserError
from nfl_keras.files import local_path

_COLLECTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
# Between the name of a gallery and the commit with which a collection of its rows begins.
ROWS = "__rows_"
_OPTIONS = ("database", "tls", "token-file")
_SHOWN = "milvus://HOST:19530/COLLECTION or milvus:///PATH.db/COLLECTION"


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a gallery in Milvus is.

    Args:
        name: str, the URI without options.
        server: str, what pymilvus connects to: `http://HOST:PORT`, or the path of a database that
            milvus-lite keeps on this machine.
        collection: str.
        database: str, of the server. `""` is its default one.
        token_file: str, a file that holds the token, or `None`.
    """

    name: str
    server: str
    collection: str
    database: str = ""
    token_file: str | None = None

    @property
    def is_embedded(self) -> bool:
        """bool, whether milvus-lite keeps it on this machine."""
        return "://" not in self.server

    @property
    def work(self) -> pathlib.Path:
        """`pathlib.Path` of the folder for what an index has embedded and not committed yet."""
        if self.is_embedded:
            return pathlib.Path(f"{self.server}.unfinished") / self.collection
        cache = os.environ.get("XDG_CACHE_HOME") or local_path("~/.cache")
        place = urllib.parse.quote(f"{self.server}/{self.database}/{self.collection}", safe="")
        return pathlib.Path(cache) / "nfl_keras" / place

    def token(self) -> str:
        """Reads the token from `token-file`, or the variable `MILVUS_TOKEN`; `""` without one.

        Raises:
            UserError: if the file cannot be read.
        """
        if self.token_file is None:
            return os.environ.get("MILVUS_TOKEN", "")
        try:
            return local_path(self.token_file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise UserError(
                f"the token of {self.name!r} cannot be read from {self.token_file!r}; name a text "
                f"file that holds it."
            ) from error


def parse_address(uri: str) -> Address:
    """Parses `milvus://HOST:PORT/COLLECTION`, or `milvus:///PATH.db/COLLECTION` for milvus-lite.

    After `?` may stand `database=NAME`, `tls=yes` and `token-file=FILE`, joined by `&`.

    Args:
        uri: str.

    Returns:
        An `Address`.

    Raises:
        UserError: if it is not such a URI.

    Example:

    >>> from nfl_keras.gallery.storage.milvus.address import parse_address
    >>> parse_address("milvus://search.example:19530/flowers?tls=yes").server
    'https://search.example:19530'
    """
    parts = urllib.parse.urlsplit(uri)
    if "@" in parts.netloc:
        raise UserError(
            "the URI of a gallery in Milvus holds a password; give it by the variable "
            "MILVUS_TOKEN, as USER:PASSWORD, or by ?token-file=FILE."
        )
    name = f"milvus://{parts.netloc}{parts.path}"
    where, _, collection = parts.path.rpartition("/")
    options = dict(urllib.parse.parse_qsl(parts.query))
    unknown = [option for option in options if option not in _OPTIONS]
    if unknown or options.get("tls", "yes") != "yes":
        raise UserError(
            f"the options of {name!r} are not understood; they are database=NAME, tls=yes and "
            f"token-file=FILE."
        )
    fits = _COLLECTION.fullmatch(collection) and ROWS not in collection
    if not fits or bool(parts.netloc) == bool(where):
        raise UserError(f"{name!r} is no gallery in Milvus; write {_SHOWN}, a name of a-z, 0-9, _.")
    if parts.netloc:
        port = "" if re.search(r":[0-9]+$", parts.netloc) else ":19530"
        server = f"{'https' if 'tls' in options else 'http'}://{parts.netloc}{port}"
    else:
        server = os.path.abspath(urllib.parse.unquote(where))
        if not server.endswith(".db"):
            raise UserError(f"{name!r}: the path of milvus-lite ends in .db; write {_SHOWN}.")
    database, token_file = options.get("database", ""), options.get("token-file")
    return Address(name, server, collection, database, token_file)
