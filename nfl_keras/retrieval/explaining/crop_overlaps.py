"""Defines where the regions of crops lie on the photograph that the crops are cut from."""

import numpy as np

_LONGEST = 4  # grid cells on the longer side, as a multiple of the regions on a side of a crop


def crop_overlaps(
    extent: tuple[int, int], image_size: int, crops: int, regions: int, offset: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Computes how much of each region of the crops lies on each cell of a grid.

    The crops are those of `inference_crops`, divided into `regions` x `regions`. The grid covers
    the photograph, and its cells are about as large as a region. They are longer where a
    photograph is more than four times as long as it is wide.

    Args:
        extent: (int, int), height and width of the photograph in pixels.
        image_size: int, side of the crops in pixels.
        crops: 1 or 3.
        regions: int, on each side of a crop.
        offset: float, by how many cells the regions lie right of and below the cells that divide
            a crop evenly. The outer ones reach to the edges all the same. Defaults to `0.0`.

    Returns:
        `(rows, columns)`, float64 `[crops, regions, H]` and `[crops, regions, W]`: region (y, x)
        of crop c has the share `rows[c, y, i] * columns[c, x, j]` of its area on cell (i, j).
        The shares of a region add up to 1.

    Example:

    >>> from nfl_keras.retrieval.explaining.crop_overlaps import crop_overlaps
    >>> rows, columns = crop_overlaps((100, 150), image_size=20, crops=3, regions=2)
    >>> columns[:, 0].tolist()  # The first column of the center, the begin and the end.
    [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    ends = (np.arange(regions + 1) + offset) * image_size / regions
    ends[0], ends[-1] = 0, image_size
    rows, columns = (_along(side, min(extent), image_size, crops, ends) for side in extent)
    return rows, columns


def _along(
    side: int, shorter: int, image_size: int, crops: int, ends_in_crop: np.ndarray
) -> np.ndarray:
    regions = len(ends_in_crop) - 1
    whole = round(side * image_size / shorter)
    room = whole - image_size
    starts = np.array([room // 2] if crops == 1 else [room // 2, 0, room])
    cells = min(round(whole * regions / image_size), _LONGEST * regions)
    ends = starts[:, None] + ends_in_crop
    cell_ends = np.linspace(0, whole, cells + 1)
    last = np.minimum(ends[:, 1:, None], cell_ends[1:])
    first = np.maximum(ends[:, :-1, None], cell_ends[:-1])
    return np.maximum(last - first, 0) / np.diff(ends_in_crop)[:, None]
