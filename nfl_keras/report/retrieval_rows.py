"""Queries and their nearest photographs, as in the papers' figures."""

import dataclasses
from collections.abc import Iterable, Sequence

from nfl_keras.report.drawn_explanation import DrawnExplanation, draw_explanation
from nfl_keras.report.tile import Tile, aspect_ratio, draw_tile
from nfl_keras.retrieval import Explanation


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """One gallery photograph found for a query.

    Args:
        image: bytes. The encoded photograph (JPEG, PNG, ...).
        class_name: str. Its class.
        similarity: float. Its cosine similarity to the query.
        correct: bool. Whether its class is the query's, or it is a match. `None` if unknown.
        explanation: `nfl.retrieval.Explanation` of the query and it. Defaults to `None`.
    """

    image: bytes
    class_name: str
    similarity: float
    correct: bool | None
    explanation: Explanation | None = None


@dataclasses.dataclass(frozen=True)
class RetrievalRow:
    """One query and its nearest gallery photographs.

    Args:
        query: bytes. The encoded photograph (JPEG, PNG, ...).
        query_class: str. Its class.
        neighbors: sequence of `Neighbor`, the most similar first.
        note: str. Why the row is shown, e.g. `"lowest average precision"`. Defaults to `""`.
    """

    query: bytes
    query_class: str
    neighbors: Sequence[Neighbor]
    note: str = ""


@dataclasses.dataclass(frozen=True)
class DrawnRow:
    """One row on the page.

    Args:
        query: `Tile`.
        neighbors: list of `(Neighbor, Tile)`.
        note: str.
        explained: list of `(rank, DrawnExplanation)` of the neighbors that are explained.
    """

    query: Tile
    neighbors: list[tuple[Neighbor, Tile]]
    note: str
    explained: list[tuple[int, DrawnExplanation]]

    @property
    def num_correct(self) -> int | None:
        """The number of neighbors of the query's class, or `None` if unknown."""
        verdicts = [neighbor.correct for neighbor, _ in self.neighbors]
        return None if None in verdicts else sum(map(bool, verdicts))


def draw_rows(rows: Iterable[RetrievalRow]) -> tuple[list[DrawnRow], float]:
    """Shrinks the photographs of rows to tiles.

    Args:
        rows: iterable of `RetrievalRow`.

    Returns:
        A list of `DrawnRow`, and the tiles' `aspect_ratio`.
    """
    drawn = [
        DrawnRow(
            query=draw_tile(row.query, row.query_class),
            neighbors=[(near, draw_tile(near.image, near.class_name)) for near in row.neighbors],
            note=row.note,
            explained=[
                (rank, draw_explanation(near.explanation, row.query_class, near.class_name))
                for rank, near in enumerate(row.neighbors, 1)
                if near.explanation is not None
            ],
        )
        for row in rows
    ]
    tiles = [row.query for row in drawn] + [tile for row in drawn for _, tile in row.neighbors]
    return drawn, aspect_ratio(tiles)
