"""Defines how a gallery is made of photographs, and brought up to date."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError
from nfl_keras.gallery.photographs import Photographs, unchanged
from nfl_keras.gallery.storage.contents import Contents
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.store import Store
from nfl_keras.gallery.storage.unfinished import SCHEMA, Unfinished
from nfl_keras.gallery.vector_source import CHUNK, VectorSource
from nfl_keras.progress import Progress


@dataclasses.dataclass(frozen=True)
class Changes:
    """What an index found.

    Args:
        count: int, photographs in the gallery.
        embedded: int, photographs that were embedded now, or found unusable.
        known: int, photographs of another name or time whose content was known.
        removed: int, photographs that are gone.
        left_out: int, photographs that cannot be used.
    """

    count: int
    embedded: int
    known: int
    removed: int
    left_out: int

    def __str__(self) -> str:
        return (
            f"{self.count:,} photographs: {self.embedded:,} embedded now, {self.known:,} moved or "
            f"copied, {self.removed:,} removed, {self.left_out:,} that cannot be used"
        )


def build(
    photographs: Photographs,
    source: VectorSource,
    store: Store,
    dtype: str | None = None,
) -> Changes:
    """Embeds the photographs that a gallery lacks, and writes the gallery.

    A photograph is known by its name, size and time, or else by its content. What is embedded is
    kept chunk by chunk, so that a process that is killed loses one at most, and the next goes on.

    Args:
        photographs: `Photographs`.
        source: `VectorSource`, of the model that embedded the gallery if there is one.
        store: `Store`, perhaps empty.
        dtype: `"float32"` or `"float16"`, of the stored vectors. Defaults to `None`: the
            gallery's, and `"float32"` for a new one.

    Returns:
        `Changes`.

    Raises:
        UserError: if another process writes, the model is another, or no photograph can be used.
    """
    if dtype not in (None, "float32", "float16"):
        raise UserError(f"dtype must be float32 or float16, not {dtype!r}.")
    with store.locked():
        before = store.read() if store.exists else None
        manifest = _manifest(photographs, source, store, dtype)
        unfinished = store.unfinished(manifest)
        state = _State.of(before, unfinished)
        rows, by_content = state.find(photographs)
        lacking = np.flatnonzero(rows < 0)
        if len(lacking) and before is None:
            store.begin(manifest)
        done = len(rows) - len(lacking)
        with Progress(len(rows), "photographs embedded", done=done) as progress:
            for start in range(0, len(lacking), CHUNK):
                chunk = lacking[start : start + CHUNK]
                unfinished.append(*source.embed(photographs, chunk, progress))
        if len(lacking):
            source.check(manifest, store.name)
            rows[lacking] = len(state.known) + np.arange(len(lacking))
            state = _State.of(before, unfinished)
        items, left_out, good = _tables(photographs, state.known.take(rows))
        if not len(items):
            raise UserError(
                f"none of {len(rows):,} photographs can be used; the first, "
                f"{left_out['id'][0].as_py()!r}: {left_out['reason'][0].as_py()}."
            )
        removed = 0
        if before is not None:
            for ids in (before.items["id"], before.left_out["id"]):
                there = pc.is_in(ids, photographs.items["id"])
                removed += len(ids) - int(np.count_nonzero(there.to_numpy()))
        if before is None or not (items.equals(before.items) and left_out.equals(before.left_out)):
            store.commit(manifest, items, left_out, _KnownVectors(state, rows[good]))
        unfinished.remove()
        return Changes(len(items), len(lacking), by_content, removed, len(left_out))


@dataclasses.dataclass(frozen=True, eq=False)
class _State:
    """What is known of photographs: a gallery's, then those it left out, then unfinished ones."""

    before: Contents | None
    unfinished: Unfinished
    known: pa.Table

    @classmethod
    def of(cls, before: Contents | None, unfinished: Unfinished) -> "_State":
        parts = []
        if before is not None:
            good = before.items.append_column("reason", pa.nulls(len(before.items), pa.string()))
            parts = [good.select(SCHEMA.names), before.left_out]
        return cls(before, unfinished, pa.concat_tables([*parts, unfinished.items()]))

    def find(self, photographs: Photographs) -> tuple[np.ndarray, int]:
        """Returns the row in `known` of each photograph, or -1, and how many their content gave."""
        # Of a photograph that has changed and is embedded anew, the last row is right.
        newest = np.arange(len(self.known))
        begun = self.unfinished.items()["id"]
        earlier = self.known["id"].slice(0, len(newest) - len(begun))
        replaced = pc.is_in(earlier, begun).to_numpy() if len(begun) else []
        newest = np.delete(newest, np.flatnonzero(replaced))
        found = unchanged(photographs.items, self.known.take(newest))
        rows = np.where(found < 0, -1, newest[found] if len(newest) else -1)
        return rows, self._find_by_content(photographs, rows)

    def _find_by_content(self, photographs: Photographs, rows: np.ndarray) -> int:
        """Fills the rows of photographs whose content is known, and counts them."""
        usable = np.flatnonzero(pc.is_null(self.known["reason"]).to_numpy())
        sizes = photographs.items["bytes"]
        likely = pc.is_in(sizes, self.known["bytes"].take(usable)).to_numpy()
        lacking = np.flatnonzero((rows < 0) & likely)
        if not len(lacking):
            return 0
        digests = self.known["sha256"].take(usable).to_pylist()
        row_of = dict(zip(digests, usable.tolist(), strict=True))
        count = 0
        with Progress(len(lacking), "photographs compared with known ones") as progress:
            for row in lacking:
                progress.add(1)
                try:
                    digest = photographs.sha256(int(row))
                except UserError:  # It is told when the photograph is embedded.
                    continue
                if digest in row_of:
                    rows[row] = row_of[digest]
                    count += 1
        return count


class _KnownVectors:
    """`Vectors` of some rows of what is known, which are read when they are asked for."""

    def __init__(self, state: _State, rows: np.ndarray) -> None:
        self._before, self._rows = state.before, rows
        self._old = 0 if state.before is None else len(state.before.items)
        count = len(state.unfinished.items())
        self._start = len(state.known) - count
        self._new = state.unfinished.vectors(count)
        self.shape: tuple[int, ...] = (len(rows), self._new.shape[1])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, positions: Any) -> np.ndarray:
        rows = self._rows[positions]
        block = np.empty((len(rows), self.shape[1]), self._new.dtype)
        is_old = rows < self._old
        if self._before is not None and is_old.any():
            block[is_old] = self._before.vectors[rows[is_old]]
        block[~is_old] = self._new[rows[~is_old] - self._start]
        return block


def _manifest(
    photographs: Photographs, source: VectorSource, store: Store, dtype: str | None
) -> Manifest:
    """Returns the manifest to write, of the model that the gallery was begun with."""
    begun = store.begun()
    if begun is None:
        return source.manifest(photographs.root, dtype or "float32")
    source.check(begun, store.name)
    if dtype not in (None, begun.dtype):
        raise UserError(
            f"the gallery {store.name!r} keeps vectors in {begun.dtype}, not {dtype}; index "
            f"into another."
        )
    return dataclasses.replace(begun, model=source.name, images=photographs.root)


def _tables(photographs: Photographs, known: pa.Table) -> tuple[pa.Table, pa.Table, np.ndarray]:
    """Divides the photographs into those of the gallery and those left out."""
    items = photographs.items.append_column("sha256", known["sha256"])
    is_good = pc.is_null(known["reason"])
    bad = items.append_column("reason", known["reason"]).filter(pc.invert(is_good))
    good = items.filter(is_good).combine_chunks()
    return good, bad.select(SCHEMA.names).combine_chunks(), np.flatnonzero(is_good.to_numpy())
