"""Defines one photograph on a page."""

import dataclasses
import statistics
from collections.abc import Iterable

from nfl_keras.report.thumbnail import thumbnail

_LEAST_ASPECT, _MOST_ASPECT = 3 / 4, 3 / 2  # of a tile, width over height


@dataclasses.dataclass(frozen=True)
class Tile:
    """One photograph on the page.

    Args:
        uri: str. A `data:` URI, or None if the photograph cannot be read.
        width: int, pixels.
        height: int, pixels.
        class_name: str.
    """

    uri: str | None
    width: int
    height: int
    class_name: str


def draw_tile(encoded: bytes, class_name: str, short_side: int = 112) -> Tile:
    """Shrinks a photograph to a `Tile`.

    Args:
        encoded: bytes. The encoded photograph (JPEG, PNG, ...).
        class_name: str.
        short_side: int. The most pixels of the short side. Defaults to `112`.

    Returns:
        A `Tile`.
    """
    uri, width, height = thumbnail(encoded, short_side) or (None, 0, 0)
    return Tile(uri, width, height, class_name)


def aspect_ratio(tiles: Iterable[Tile]) -> float:
    """Returns the width over height in which tiles are shown beside each other.

    It is the median of those that can be read, within 3/4 and 3/2.
    """
    aspects = [tile.width / tile.height for tile in tiles if tile.uri]
    typical = statistics.median(aspects) if aspects else 1.0
    return round(min(max(typical, _LEAST_ASPECT), _MOST_ASPECT), 3)
