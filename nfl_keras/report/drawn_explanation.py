"""Defines the explanation of an answer on a page."""

import dataclasses

from nfl_keras.report.thumbnail import jpeg_uri
from nfl_keras.report.tile import Tile
from nfl_keras.retrieval import Explanation
from nfl_keras.retrieval.explaining.explanation import Box

_SIDE = 320  # pixels of the longer side
_ROWS, _COLUMNS = ("upper", "center", "lower"), ("left", "center", "right")


@dataclasses.dataclass(frozen=True)
class DrawnExplanation:
    """Why a query and an answer are similar, on a page.

    Args:
        query: `Tile` with heat and numbered frames.
        answer: `Tile` with heat and numbered frames.
        similarity: float, the sum of the parts.
        kind: str, how exact the maps are.
        links: list of `(place in the query, place in the answer, part)`, words and a float.
    """

    query: Tile
    answer: Tile
    similarity: float
    kind: str
    links: list[tuple[str, str, float]]


def draw_explanation(
    explanation: Explanation, query_class: str, answer_class: str
) -> DrawnExplanation:
    """Draws an explanation for a page.

    Args:
        explanation: `nfl.retrieval.Explanation` of a query and an answer.
        query_class: str.
        answer_class: str.

    Returns:
        A `DrawnExplanation`.
    """
    pictures = explanation.draw(_SIDE)
    query, answer = (
        Tile(jpeg_uri(picture), *picture.size, name)
        for picture, name in zip(pictures, (query_class, answer_class), strict=True)
    )
    a, b = explanation.extents
    links = [(place(link.a, a), place(link.b, b), link.part) for link in explanation.links]
    kind = "exact: the parts of all pairs of regions add up to it"
    if not explanation.is_exact:
        kind = f"the maps are an approximation, by {explanation.method}"
    return DrawnExplanation(query, answer, explanation.similarity, kind, links)


def place(box: Box, extent: tuple[int, int]) -> str:
    """Says in words where a box lies.

    Args:
        box: `(x, y, width, height)` in pixels.
        extent: (int, int), height and width of the photograph in pixels.

    Returns:
        str.

    Example:

    >>> from nfl_keras.report.drawn_explanation import place
    >>> place((0, 0, 10, 10), (60, 90)), place((40, 25, 10, 10), (60, 90))
    ('upper left', 'center')
    """
    x, y, width, height = box
    row = _ROWS[min(2, int(3 * (y + height / 2) / extent[0]))]
    column = _COLUMNS[min(2, int(3 * (x + width / 2) / extent[1]))]
    return row if row == column else f"{row} {column}"
