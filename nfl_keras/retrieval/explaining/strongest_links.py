"""Defines which pairs of regions add most to a similarity."""

import numpy as np

from nfl_keras.retrieval.explaining.explanation import Box, Link


def strongest_links(
    pairs: np.ndarray, extents: tuple[tuple[int, int], tuple[int, int]], count: int
) -> tuple[Link, ...]:
    """Finds the pairs of cells that add most, each cell in one pair at most.

    Args:
        pairs: float `[H, W, H', W']`, what each cell of one grid adds with each cell of the other.
        extents: two `(height, width)` in pixels of the photographs that the grids cover.
        count: int, how many.

    Returns:
        Tuple of `Link`, the strongest first, at most `count` of them. All their parts are above 0.

    Example:

    >>> from nfl_keras.retrieval.explaining.strongest_links import strongest_links
    >>> pairs = np.array([[0.5, 0.4], [0.3, 0.1]]).reshape(1, 2, 2, 1)
    >>> for link in strongest_links(pairs, ((10, 20), (20, 10)), count=5):
    ...     print(link)
    Link(a=(0, 0, 10, 10), b=(0, 0, 10, 10), part=0.5)
    Link(a=(10, 0, 10, 10), b=(0, 10, 10, 10), part=0.1)
    """
    grids = pairs.shape[:2], pairs.shape[2:]
    left = pairs.reshape(np.prod(grids[0]), -1).copy()
    links: list[Link] = []
    for _ in range(min(count, *left.shape)):
        first, second = (int(cell) for cell in np.unravel_index(left.argmax(), left.shape))
        part = float(left[first, second])
        if part <= 0:
            break
        links.append(
            Link(_box(first, grids[0], extents[0]), _box(second, grids[1], extents[1]), part)
        )
        left[first] = left[:, second] = 0
    return tuple(links)


def _box(cell: int, grid: tuple[int, ...], extent: tuple[int, int]) -> Box:
    row, column = divmod(cell, grid[1])
    (top, bottom), (left, right) = (
        (round(at * side / count), round((at + 1) * side / count))
        for at, side, count in zip((row, column), extent, grid, strict=True)
    )
    return left, top, right - left, bottom - top
