"""Defines the answers to queries."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

_WIDEST = 40  # characters of a column in the printed table


@dataclasses.dataclass(frozen=True)
class Match:
    """One photograph that was found.

    Args:
        id: str.
        label: str, or `None`.
        similarity: float, cosine similarity to the query.
        is_match: bool, whether it reaches the threshold, or `None` without one.
        metadata: dict of the other columns.
    """

    id: str
    label: str | None
    similarity: float
    is_match: bool | None
    metadata: dict[str, Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Matches:
    """The nearest photographs of each query, the most similar first unless they are re-ranked.

    It prints itself as a table, has one list of `Match` per query (`matches[0]`, or by iteration),
    and becomes an Arrow table or a pandas frame.

    Args:
        queries: list of str, the names of the Q queries.
        positions: int64 `[Q, k]`, rows of `items`; -1 where there are fewer than k.
        similarities: float32 `[Q, k]`.
        items: `pyarrow.Table` of the gallery, or of what was found in an engine elsewhere.
        threshold: float, the least similarity of a match, or `None`.
    """

    queries: list[str]
    positions: np.ndarray
    similarities: np.ndarray
    items: pa.Table
    threshold: float | None = None

    def __len__(self) -> int:
        return len(self.queries)

    def __iter__(self) -> Iterator[list[Match]]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> list[Match]:
        found = self.positions[number] >= 0
        rows = self.items.take(self.positions[number][found]).to_pylist()
        return [
            Match(
                row.pop("id"),
                row.pop("label"),
                similarity,
                None if self.threshold is None else similarity >= self.threshold,
                row,
            )
            for row, similarity in zip(rows, self.similarities[number][found].tolist(), strict=True)
        ]

    def to_arrow(self) -> pa.Table:
        """Returns a `pyarrow.Table`, a row per answer: query, rank, similarity, the item's columns.

        With a threshold it has the column `match`, too.
        """
        found = self.positions >= 0
        query = np.repeat(np.arange(len(found)), found.sum(axis=1))
        rank = np.broadcast_to(np.arange(1, found.shape[1] + 1), found.shape)[found]
        similarities = self.similarities[found]
        columns = {
            "query": pa.array(self.queries, pa.string()).take(pa.array(query)),
            "rank": pa.array(rank),
            "similarity": pa.array(similarities),
        }
        if self.threshold is not None:
            columns["match"] = pa.array(similarities >= self.threshold)
        items = self.items.take(self.positions[found])
        return pa.table({**columns, **dict(zip(items.column_names, items.columns, strict=True))})

    def to_pandas(self) -> Any:
        """Returns `to_arrow` as a `pandas.DataFrame`. pandas must be installed."""
        return self.to_arrow().to_pandas()

    def to_json(self) -> str:
        """Returns a JSON list with an object per query."""
        listed = [
            {"query": name, "matches": [dataclasses.asdict(match) for match in matches]}
            for name, matches in zip(self.queries, self, strict=True)
        ]
        return json.dumps(listed, indent=2, default=str, ensure_ascii=False)

    def __repr__(self) -> str:
        lines = []
        for name, matches in zip(self.queries, self, strict=True):
            lines.append(name if matches else f"{name}: nothing found")
            best = max((match.similarity for match in matches), default=0.0)
            if matches and self.threshold is not None and best < self.threshold:
                lines[-1] += f": no match (best {best:.3f}, "
                lines[-1] += f"threshold {self.threshold:.3f})"
            wide = max((len(_short(match.label)) for match in matches), default=0)
            for rank, match in enumerate(matches, 1):
                mark = {None: "", True: "  match", False: "  no match"}[match.is_match]
                label = f"{_short(match.label):{wide}}  " if wide else ""
                lines.append(f"{rank:4}  {match.similarity:6.3f}  {label}{match.id}{mark}")
        return "\n".join(lines)


def _short(text: str | None) -> str:
    text = text or ""
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
