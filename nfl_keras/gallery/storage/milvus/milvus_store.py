"""Defines the place of a gallery in Milvus, and how it changes in one step."""

import contextlib
import dataclasses
import functools
import json
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from nfl_keras.gallery.storage.milvus.address import ROWS, Address
from nfl_keras.gallery.storage.milvus.columns import Columns
from nfl_keras.gallery.storage.milvus.connection import Connection
from nfl_keras.gallery.storage.milvus.milvus_contents import MilvusContents
from nfl_keras.gallery.storage.milvus.records import Records, State
from nfl_keras.gallery.storage.milvus.rows import Rows
from nfl_keras.gallery.storage.one_writer import one_writer
from nfl_keras.gallery.storage.unfinished import Unfinished
from nfl_keras.retrieval.nearest import Vectors

# After this time a writer on another machine is taken for dead.
_LEASE_SECONDS = 24 * 3600


class MilvusStore:
    """A gallery in Milvus.

    ```
    COLLECTION            records: the state, those left out, and who writes
    COLLECTION__rows_N    the photographs as of commit N and later, see `Rows`
    ```

    The record of the state is replaced in one step after all rows are there. What an index has
    embedded and not committed lies in a folder of the machine that indexes, so that it goes on
    there.

    Args:
        address: `Address`.
    """

    def __init__(self, address: Address) -> None:
        self._address, self.name = address, address.name
        self._ask = Connection(address)
        self._records = Records(self._ask, address.collection)
        self._begun = address.work / "unfinished"
        self._opened: MilvusContents | None = None

    @property
    def exists(self) -> bool:
        """bool, whether there is a gallery."""
        return self._records.state() is not None

    def manifest(self) -> Manifest:
        """Reads the manifest, see `Store`."""
        return self._state().manifest

    def begun(self) -> Manifest | None:
        """Reads the manifest of a gallery that exists or is begun, or returns `None`."""
        state = self._records.state()
        if state is not None:
            return state.manifest
        path = self._begun / MANIFEST
        return read_manifest(path) if path.exists() else None

    def begin(self, manifest: Manifest) -> None:
        """Keeps which model an unfinished gallery is made by. The caller holds `locked`."""
        write_manifest(self._begun / MANIFEST, manifest)

    def unfinished(self, manifest: Manifest) -> Unfinished:
        """Opens what has been embedded but not committed. The caller holds `locked`."""
        return Unfinished(self._begun, manifest.dimension, manifest.dtype)

    def read(self) -> MilvusContents:
        """Opens the gallery as it is now, and says what Milvus does otherwise than a folder."""
        state = self._state()
        index = self._rows(state).load()
        contents = self._contents(state)
        contents.check()
        exact = "searches are exact" if index == "FLAT" else "searches are approximate"
        _say(
            f"{self.name}: {exact} (index {index}). Otherwise than in a folder, float16 saves no "
            f"space, an open gallery outlasts one index only, and two machines may both write."
        )
        self._opened = contents
        return contents

    @contextlib.contextmanager
    def locked(self) -> Iterator[Self]:
        """Keeps other processes from writing, and removes what killed ones have left.

        Processes of other machines are refused by a record. Two that begin within the same moment
        may both go on.

        Raises:
            UserError: if another process writes, or Milvus refuses.
        """
        with one_writer(self._address.work, self.name):
            self._records.create()
            with self._leased():
                self._clean()
                yield self

    def commit(
        self, manifest: Manifest, items: pa.Table, left_out: pa.Table, vectors: Vectors
    ) -> None:
        """Replaces the gallery, see `Store`. Only rows that differ are written."""
        before = self._records.state()
        commit = 1 if before is None else before.manifest.commit + 1
        manifest = dataclasses.replace(
            manifest, count=len(items), left_out=len(left_out), commit=commit
        )
        if before is None or not before.schema.equals(items.schema):
            name = f"{self._address.collection}{ROWS}{commit}"
            rows = Rows(self._ask, name, Columns(items.schema), manifest.dimension)
            rows.create()
            first, new, ended = 0, np.arange(len(items)), np.empty(0, np.int64)
        else:
            rows, first = self._rows(before), before.end
            opened = self._opened or self._contents(before)
            kept = _same_rows(items, opened.items)
            new, ended = np.flatnonzero(kept < 0), np.delete(opened.numbers, kept[kept >= 0])
        rows.load()
        rows.insert(items, vectors, new, first, commit)
        rows.end(ended, commit)
        rows.flush()
        self._records.write_state(
            State(
                manifest,
                rows.name,
                first + len(new),
                items.schema.remove_metadata(),
                self._records.write_left_out(left_out, commit),
            )
        )

    def write_manifest(self, manifest: Manifest) -> None:
        """Replaces the manifest alone. The caller holds `locked`."""
        self._records.write_state(dataclasses.replace(self._state(), manifest=manifest))

    def _state(self) -> State:
        state = self._records.state()
        if state is None:
            raise UserError(
                f"{self.name!r} is not a gallery (Milvus has no such collection); make one with "
                f"nfl-keras index."
            )
        return state

    def _rows(self, state: State) -> Rows:
        return Rows(self._ask, state.rows, Columns(state.schema), state.manifest.dimension)

    def _contents(self, state: State) -> MilvusContents:
        return MilvusContents(state, self._rows(state), self._records)

    def _clean(self) -> None:
        self._opened = None
        state = self._records.state()
        if state is not None:
            self._records.clean(state.manifest.commit)
            rows = self._rows(state)
            rows.load()
            rows.clean(state.manifest.commit, state.end)
        for name in self._ask("list_collections"):
            of_this = re.fullmatch(f"{self._address.collection}{ROWS}[0-9]+", name)
            if of_this and (state is None or name != state.rows):
                self._ask("drop_collection", name)

    @contextlib.contextmanager
    def _leased(self) -> Iterator[None]:
        host = socket.gethostname()
        held = json.loads(self._records.get("writer") or "null")
        other = held is not None and held["host"] != host
        if other and time.time() - held["since"] < _LEASE_SECONDS:
            raise UserError(
                f"another process writes to the gallery {self.name!r} (on {held['host']}, process "
                f"{held['process']}); try again when it is finished, or after a day."
            )
        lease = json.dumps({"host": host, "process": os.getpid(), "since": time.time()})
        self._records.put("writer", lease)
        try:
            if self._records.get("writer") != lease:
                raise UserError(f"another process writes to the gallery {self.name!r}; try again.")
            yield
        finally:
            if self._records.get("writer") == lease:
                self._records.remove("writer")


def _same_rows(items: pa.Table, before: pa.Table) -> np.ndarray:
    """Returns, for each item, the row of `before` that equals it, or -1, int64 `[N]`."""
    found = pc.fill_null(pc.index_in(items["id"], value_set=before["id"]), -1).to_numpy()
    found = found.astype(np.int64)
    there = np.flatnonzero(found >= 0)
    same = np.ones(len(there), bool)
    for name in items.column_names:
        new, old = items[name].take(there), before[name].take(found[there])
        equal = pc.fill_null(pc.equal(new, old), False).to_numpy()
        same &= equal | (pc.is_null(new).to_numpy() & pc.is_null(old).to_numpy())
    found[there[~same]] = -1
    return found


@functools.cache
def _say(line: str) -> None:
    print(line, file=sys.stderr)
