"""Queries and their nearest photographs, as the papers' figures show them."""

import dataclasses
import statistics
from collections.abc import Sequence

from nfl_keras.report.thumbnail import thumbnail

_TALLEST, _WIDEST = 3 / 4, 3 / 2  # of the tiles, width over height


@dataclasses.dataclass(frozen=True)
class Neighbor:
    """One gallery photograph found for a query.

    Args:
        image: bytes. The encoded photograph (JPEG, PNG, ...).
        class_name: str. Its class.
        similarity: float. Its cosine similarity to the query.
        correct: bool. Whether it is of the query's class.
    """

    image: bytes
    class_name: str
    similarity: float
    correct: bool


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
class Tile:
    """One photograph as the page draws it; `uri` is None where it cannot be read."""

    uri: str | None
    width: int
    height: int
    class_name: str
    neighbor: Neighbor | None = None


@dataclasses.dataclass(frozen=True)
class DrawnRow:
    """One row as the page draws it."""

    query: Tile
    neighbors: list[Tile]
    note: str

    @property
    def num_right(self):
        return sum(tile.neighbor.correct for tile in self.neighbors)


def draw_rows(rows):
    """Rows with their photographs made small and put into `data:` URIs.

    Args:
        rows: iterable of `RetrievalRow`.

    Returns:
        A list of `DrawnRow`, and the width over height that suits most of their
        photographs, so that cropping to one common shape cuts off little.
    """
    drawn = [
        DrawnRow(
            query=_tile(row.query, row.query_class),
            neighbors=[_tile(near.image, near.class_name, near) for near in row.neighbors],
            note=row.note,
        )
        for row in rows
    ]
    tiles = [tile for row in drawn for tile in (row.query, *row.neighbors)]
    shapes = [tile.width / tile.height for tile in tiles if tile.uri]
    typical = statistics.median(shapes) if shapes else 1.0
    return drawn, round(min(max(typical, _TALLEST), _WIDEST), 3)


def _tile(encoded, class_name, neighbor=None):
    uri, width, height = thumbnail(encoded) or (None, 0, 0)
    return Tile(uri, width, height, class_name, neighbor)
