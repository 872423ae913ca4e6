"""Defines what a gallery in Milvus searches in."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.contents import Found, not_in_gallery
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.milvus.expression import expression
from nfl_keras.gallery.storage.milvus.milvus_vectors import MilvusVectors
from nfl_keras.gallery.storage.milvus.records import Records, State
from nfl_keras.gallery.storage.milvus.rows import Rows
from nfl_keras.gallery.where import Where
from nfl_keras.retrieval.exact_similarity import rounding_bound
from nfl_keras.retrieval.nearest import SPARE, nearest

_MOST = 16_384  # rows that one search of Milvus gives
_CANDIDATES = 2048  # whose vectors are fetched at once


class MilvusContents:
    """One commit of a gallery in Milvus, see `nfl_keras.gallery.storage.contents`.

    Milvus finds candidates, some more than asked for. Their vectors are fetched, and sorted by
    their exact similarity, then by id, as in a folder. Where the last candidate is as similar as
    the k-th answer, more are asked for.

    Args:
        state: `State`.
        rows: `Rows`.
        records: `Records`.
    """

    def __init__(self, state: State, rows: Rows, records: Records) -> None:
        self.manifest: Manifest = state.manifest
        self.left_out = records.left_out(state)
        self._rows, self._records, self._end = rows, records, state.end
        self._visible = f"born <= {state.manifest.commit} and died > {state.manifest.commit}"

    @property
    def items(self) -> pa.Table:
        """`pyarrow.Table`, which is read from Milvus when it is first asked for."""
        return self._numbered[1]

    @property
    def numbers(self) -> np.ndarray:
        """int64 `[N]`, the numbers of the rows, in the order of `items`."""
        return self._numbered[0]

    @functools.cached_property
    def vectors(self) -> MilvusVectors:
        """`MilvusVectors`, in the order of `items`."""
        return MilvusVectors(self._rows, self.numbers)

    def check(self) -> None:
        """Checks that all photographs are there.

        Raises:
            UserError: if the number of rows is not the manifest's.
        """
        found = self._rows.count(self._visible)
        if found != self.manifest.count:
            raise UserError(
                f"the collection {self._rows.name!r} holds {found:,} photographs of the gallery's "
                f"{self.manifest.count:,}; index anew into another collection."
            )

    def vectors_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the vectors of photographs, see `Contents`."""
        found = self._rows.numbers_of(ids, self._visible)
        self._records.check_kept(self.manifest.commit)
        for name in ids:
            if name not in found:
                raise not_in_gallery(name)
        return self._rows.vectors(np.array([found[name] for name in ids], np.int64))

    def search(self, query: np.ndarray, k: int, where: Where | None = None) -> Found:
        """Finds the k most similar photographs of each query, see `Contents`."""
        if k + SPARE > _MOST:
            raise UserError(f"Milvus gives at most {_MOST - SPARE:,} answers, not {k:,}.")
        said = expression(where, self._rows.columns)
        condition = f"{self._visible} and {said}" if said else self._visible
        numbers = np.full((len(query), k), -1, np.int64)
        similarities = np.full((len(query), k), -np.inf, np.float32)
        seen, tables = [np.empty(0, np.int64)], [self._rows.columns.schema.empty_table()]
        step = max(1, _CANDIDATES // (k + SPARE))
        for start in range(0, len(query), step):
            part = slice(start, start + step)
            for candidates, items in self._fill(
                query[part], condition, numbers[part], similarities[part]
            ):
                answers = np.isin(candidates, numbers[part])
                seen.append(candidates[answers])
                tables.append(items.filter(answers))
        self._records.check_kept(self.manifest.commit)
        found, first = np.unique(np.concatenate(seen), return_index=True)
        items = pa.concat_tables(tables).take(first)
        order = _order(items["id"])
        places = np.full(len(found) + 1, -1)
        places[order] = np.arange(len(found))
        positions = places[np.where(numbers < 0, -1, np.searchsorted(found, numbers))]
        return Found(
            positions, similarities, items.take(order), MilvusVectors(self._rows, found[order])
        )

    def _fill(
        self, query: np.ndarray, condition: str, numbers: np.ndarray, similarities: np.ndarray
    ) -> Iterator[tuple[np.ndarray, pa.Table]]:
        """Fills rows of numbers and similarities, and yields candidates and their items."""
        k, limit = numbers.shape[1], numbers.shape[1] + SPARE
        bound = rounding_bound(self._rows.dimension)
        left = np.arange(len(query))
        while len(left):
            hits = self._rows.nearest(query[left], limit, condition)
            candidates = np.unique(np.concatenate([found for found, _ in hits]))
            items, vectors = self._rows.items_and_vectors(candidates)
            order = _order(items["id"])
            places, similar = nearest(query[left], vectors[order], k)
            numbers[left] = np.append(candidates[order], -1)[places]
            similarities[left] = similar
            yield candidates, items
            settled = [
                len(found) < limit or limit == _MOST or similar[row, -1] > distances[-1] + bound
                for row, (found, distances) in enumerate(hits)
            ]
            left, limit = left[~np.array(settled)], min(4 * limit, _MOST)

    @functools.cached_property
    def _numbered(self) -> tuple[np.ndarray, pa.Table]:
        numbers, items = self._rows.read(self._visible, self._end)
        self._records.check_kept(self.manifest.commit)
        order = _order(items["id"])
        return numbers[order], items.take(order).combine_chunks()


def _order(ids: pa.ChunkedArray) -> np.ndarray:
    return pc.array_sort_indices(ids.combine_chunks()).to_numpy().astype(np.int64)
