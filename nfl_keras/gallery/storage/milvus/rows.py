"""Defines the collection of Milvus in which photographs and their vectors are rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.milvus.columns import MOST_BYTES, Columns
from nfl_keras.gallery.storage.milvus.connection import Connection, import_pymilvus
from nfl_keras.gallery.storage.milvus.expression import text_literal
from nfl_keras.progress import Progress
from nfl_keras.retrieval.nearest import Vectors

FOREVER = 2**62
_PAGE = 4096  # rows without vectors that are read at once
_MESSAGE_BYTES = 2**24  # of vectors; Milvus takes 64 MiB in all


class Rows:
    """A collection of versions of photographs.

    A row has a `number`, and is of all commits from `born` up to and without `died`. So a commit
    becomes visible in one step, when its number is written elsewhere, and readers of the commit
    before keep theirs.

    Args:
        ask: `Connection`.
        name: str, of the collection.
        columns: `Columns`.
        dimension: int, D.
    """

    def __init__(self, ask: Connection, name: str, columns: Columns, dimension: int) -> None:
        self._ask, self.name, self.columns, self.dimension = ask, name, columns, dimension
        self._batch = max(1, min(_PAGE, _MESSAGE_BYTES // (4 * dimension)))

    def create(self) -> None:
        """Makes the collection anew, with an index that searches exactly."""
        kinds = import_pymilvus().DataType
        self._ask("drop_collection", self.name)
        schema = import_pymilvus().MilvusClient.create_schema(auto_id=False)
        schema.add_field("number", kinds.INT64, is_primary=True)
        schema.add_field("born", kinds.INT64)
        schema.add_field("died", kinds.INT64)
        for column, field in self.columns.fields.items():
            kind = self.columns.kind(column)
            longest = {"max_length": MOST_BYTES} if kind == "VARCHAR" else {}
            schema.add_field(field, getattr(kinds, kind), nullable=True, **longest)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=self.dimension)
        self._ask("create_collection", self.name, schema=schema, consistency_level="Strong")
        self._index("vector", index_type="FLAT", metric_type="IP")
        if not self._ask.is_embedded:  # A killed milvus-lite may leave half of such an index.
            self._index(self.columns.fields["id"], index_type="INVERTED")

    def load(self) -> str:
        """Makes it ready to search, and returns the type of its index."""
        self._ask("load_collection", self.name)
        return str(self._ask("describe_index", self.name, "vector")["index_type"])

    def insert(
        self, items: pa.Table, vectors: Vectors, positions: np.ndarray, first: int, born: int
    ) -> None:
        """Adds some of the items as rows, whose numbers begin with `first`.

        Raises:
            UserError: if Milvus cannot keep a value.
        """
        with Progress(len(positions), "vectors sent to Milvus") as progress:
            for start in range(0, len(positions), self._batch):
                some = positions[start : start + self._batch]
                rows = self.columns.to_rows(items.take(some))
                block = np.asarray(vectors[some], np.float32)
                for number, (row, vector) in enumerate(
                    zip(rows, block, strict=True), first + start
                ):
                    row |= {"number": number, "born": born, "died": FOREVER, "vector": vector}
                self._ask("insert", self.name, rows)
                progress.add(len(rows))

    def end(self, numbers: np.ndarray, died: int) -> None:
        """Says that rows are of no commit from `died` on."""
        for start in range(0, len(numbers), self._batch):
            rows = self._rows(_among(numbers[start : start + self._batch].tolist()), ["*"])
            if rows:
                self._ask("upsert", self.name, [{**row, "died": died} for row in rows])

    def flush(self) -> None:
        """Has Milvus put what was written last in segments, which it searches ten times faster."""
        self._ask("flush", self.name)

    def clean(self, commit: int, end: int) -> None:
        """Undoes what followed a commit, and removes what ended with it."""
        self._ask("delete", self.name, filter=f"born > {commit} or died <= {commit}")
        self.end(self.read(f"died > {commit} and died < {FOREVER}", end)[0], FOREVER)

    def count(self, condition: str) -> int:
        """Returns the number of rows that fulfill a condition."""
        return int(self._rows(condition, ["count(*)"])[0]["count(*)"])

    def read(self, condition: str, end: int) -> tuple[np.ndarray, pa.Table]:
        """Reads the numbers, int64 `[N]`, and the items of rows below a number, page by page."""
        numbers, tables = [np.empty(0, np.int64)], [self.columns.schema.empty_table()]
        for start in range(0, end, _PAGE):
            page = f"number >= {start} and number < {min(start + _PAGE, end)} and {condition}"
            rows = self._rows(page, list(self.columns.fields.values()))
            numbers.append(_numbers(rows))
            tables.append(self.columns.to_table(rows))
        return np.concatenate(numbers), pa.concat_tables(tables).combine_chunks()

    def numbers_of(self, ids: Sequence[str], condition: str) -> dict[str, int]:
        """Finds the numbers of ids, those that there are."""
        field, found = self.columns.fields["id"], {}
        for start in range(0, len(ids), _PAGE):
            literals = [text_literal(name) for name in ids[start : start + _PAGE]]
            among = f"{field} in [{', '.join(literals)}] and {condition}"
            found.update({row[field]: row["number"] for row in self._rows(among, [field])})
        return found

    def items_and_vectors(self, numbers: np.ndarray) -> tuple[pa.Table, np.ndarray]:
        """Returns the items and the vectors, float32 `[N, D]`, of these numbers in their order."""
        rows = self._taken(numbers, [*self.columns.fields.values(), "vector"])
        return self.columns.to_table(rows), self._matrix(rows)

    def vectors(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the vectors of these numbers, float32 `[N, D]`."""
        return self._matrix(self._taken(numbers, ["vector"]))

    def nearest(
        self, query: np.ndarray, limit: int, condition: str
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Finds the numbers and the similarities of the most similar rows to each query."""
        hits = self._ask(
            "search",
            self.name,
            data=list(query),
            limit=limit,
            filter=condition,
            anns_field="vector",
            consistency_level="Strong",
        )
        return [(_numbers(found), np.array([hit["distance"] for hit in found])) for found in hits]

    def _index(self, field: str, **index: str) -> None:
        indexes = import_pymilvus().MilvusClient.prepare_index_params()
        indexes.add_index(field, **index)
        # An index of an empty collection is finished at once; pymilvus would wait half a second.
        self._ask("create_index", self.name, indexes, sync=False)

    def _rows(self, condition: str, fields: Sequence[str]) -> list[dict[str, Any]]:
        named = {"filter": condition, "output_fields": fields, "consistency_level": "Strong"}
        return [dict(row) for row in self._ask("query", self.name, **named)]

    def _taken(self, numbers: np.ndarray, fields: Sequence[str]) -> list[dict[str, Any]]:
        """Returns rows in the order of numbers."""
        found = {}
        for start in range(0, len(numbers), self._batch):
            among = _among(numbers[start : start + self._batch].tolist())
            found.update({row["number"]: row for row in self._rows(among, fields)})
        if len(found) < len(np.unique(numbers)):
            raise UserError("photographs were removed from the gallery; open it again.")
        return [found[number] for number in numbers.tolist()]

    def _matrix(self, rows: Sequence[dict[str, Any]]) -> np.ndarray:
        matrix = np.empty((len(rows), self.dimension), np.float32)
        for place, row in enumerate(rows):
            matrix[place] = row["vector"]
        return matrix


def _among(numbers: Sequence[int]) -> str:
    return f"number in [{', '.join(map(str, numbers))}]"


def _numbers(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    return np.array([row["number"] for row in rows], np.int64)
