"""Defines the small collection in which a gallery in Milvus says what it is."""

import base64
import dataclasses
import json
import zlib
from typing import Any

import pyarrow as pa
import pyarrow.ipc

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.manifest import Manifest, manifest_text, parse_manifest
from nfl_keras.gallery.storage.milvus.columns import MOST_BYTES
from nfl_keras.gallery.storage.milvus.connection import Connection, import_pymilvus


@dataclasses.dataclass(frozen=True)
class State:
    """What a gallery is as of one commit.

    Args:
        manifest: `Manifest`.
        rows: str, the collection of its rows.
        end: int, more than the number of any row.
        schema: `pyarrow.Schema` of the items.
        parts: int, in how many records those left out are kept.
    """

    manifest: Manifest
    rows: str
    end: int
    schema: pa.Schema
    parts: int


class Records:
    """Records of a key and a text, in the collection that has the gallery's name.

    Args:
        ask: `Connection`.
        name: str, of the collection.
    """

    def __init__(self, ask: Connection, name: str) -> None:
        self._ask, self._name = ask, name

    def create(self) -> None:
        """Makes the collection if it is not there, and makes it ready to read."""
        if not self._ask("has_collection", self._name):
            kinds, client = import_pymilvus().DataType, import_pymilvus().MilvusClient
            schema = client.create_schema(auto_id=False)
            schema.add_field("key", kinds.VARCHAR, max_length=100, is_primary=True)
            schema.add_field("text", kinds.VARCHAR, max_length=MOST_BYTES)
            # Milvus has no collection without vectors.
            schema.add_field("vector", kinds.FLOAT_VECTOR, dim=2)
            index = client.prepare_index_params()
            index.add_index("vector", index_type="FLAT", metric_type="IP")
            self._ask("create_collection", self._name, schema=schema, consistency_level="Strong")
            self._ask("create_index", self._name, index, sync=False)
        self._ask("load_collection", self._name)

    def state(self) -> State | None:
        """Reads the state, or returns `None` if there is no gallery.

        Raises:
            UserError: if it is not one of this version.
        """
        if self._ask.is_new or not self._ask("has_collection", self._name):
            return None
        self._ask("load_collection", self._name)
        text = self.get("state")
        if text is None:
            return None
        try:
            found = json.loads(_unpacked(text))
            schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(found.pop("schema"))))
            manifest = parse_manifest(found.pop("manifest"), self._name)
            return State(manifest=manifest, schema=schema, **found)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise UserError(
                f"the collection {self._name!r} is not what nfl-keras index wrote ({error}); "
                f"index anew into another collection."
            ) from error

    def write_state(self, state: State) -> None:
        """Replaces the state, in one step."""
        schema = base64.b64encode(state.schema.serialize().to_pybytes()).decode()
        fields = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
        fields |= {"schema": schema, "manifest": manifest_text(state.manifest)}
        self.put("state", _packed(json.dumps(fields).encode()))

    def left_out(self, state: State) -> pa.Table:
        """Reads the photographs that cannot be used."""
        keys = [_key(state.manifest.commit, part) for part in range(state.parts)]
        text = "".join(self.get(key) or "" for key in keys)
        return pa.ipc.open_stream(_unpacked(text)).read_all().combine_chunks()

    def write_left_out(self, table: pa.Table, commit: int) -> int:
        """Writes the photographs that a commit leaves out, and returns the number of records."""
        file = pa.BufferOutputStream()
        with pa.ipc.new_stream(file, table.schema) as stream:
            stream.write_table(table)
        text = _packed(file.getvalue().to_pybytes())
        parts = range(0, len(text), MOST_BYTES)
        for part, start in enumerate(parts):
            self.put(_key(commit, part), text[start : start + MOST_BYTES])
        return len(parts)

    def check_kept(self, commit: int) -> None:
        """Checks that the rows of a commit are all there.

        Raises:
            UserError: if those that later commits have not are removed.
        """
        if commit < int(self.get("oldest") or 0):
            raise UserError(
                "the gallery has been indexed twice since it was opened; open it again."
            )

    def clean(self, commit: int) -> None:
        """Says that earlier commits can be read no more, and removes what they left out."""
        self.put("oldest", str(commit))
        others = f'key like "left_out/%" and not (key like "{_key(commit)}%")'
        self._ask("delete", self._name, filter=others)

    def get(self, key: str) -> str | None:
        """Reads a record, or returns `None` if there is none."""
        named = {"output_fields": ["text"], "consistency_level": "Strong"}
        found = self._ask("query", self._name, filter=f'key == "{key}"', **named)
        return found[0]["text"] if found else None

    def put(self, key: str, text: str) -> None:
        """Writes a record.

        Raises:
            UserError: if it is longer than Milvus keeps.
        """
        if len(text) > MOST_BYTES:
            raise UserError(
                f"Milvus keeps no gallery of so many dimensions ({len(text):,} bytes of {key})."
            )
        self._ask("upsert", self._name, [{"key": key, "text": text, "vector": [1.0, 0.0]}])

    def remove(self, key: str) -> None:
        """Removes a record."""
        self._ask("delete", self._name, filter=f'key == "{key}"')


def _key(commit: int, part: Any = "") -> str:
    return f"left_out/{commit}/{part}"


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
