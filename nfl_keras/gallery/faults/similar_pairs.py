"""Finds all pairs of similar photographs, without a matrix of all similarities."""

from collections.abc import Iterator

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.progress import Progress
from nfl_keras.retrieval.exact_similarity import (
    exact_similarity,
    round_to_grid,
    rounding_bound,
)

# A block compares this many photographs with as many others. If all of them are similar, its
# pairs and their groups take 480 MB.
BLOCK = 2048

# Positions of first photographs and of second ones, int64 `[P]`, and similarities, float32 `[P]`.
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]


def similar_pairs(
    catalog: Catalog, threshold: float, other: Catalog | None = None
) -> Iterator[Pairs]:
    """Finds the pairs of photographs whose cosine similarity is at least a threshold.

    A float32 product of two blocks of vectors tells which of them may be in a pair. These are
    compared by their exact similarity, so that the pairs depend on neither block nor machine.

    Args:
        catalog: `Catalog`.
        threshold: float, the least cosine similarity.
        other: `Catalog` of vectors of the same dimension. Defaults to `None`: the photographs of
            `catalog` are paired with each other.

    Yields:
        Tuples `(first, second, similarities)` of int64 `[P]`, int64 `[P]` and float32 `[P]`, one
        for each pair of blocks with a pair. `first` are positions in `catalog`, `second` in
        `other`. Without `other`, `first < second`, and each pair is found once.

    Raises:
        UserError: if the threshold is not above 0 and at most 1, or the catalogs' vectors differ
            in dimension.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.similar_pairs import similar_pairs
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype="float32")
    >>> catalog = Catalog(["a", "b", "c"], None, [0, 1, 2], vectors, lambda position: b"")
    >>> for first, second, similarities in similar_pairs(catalog, threshold=0.7):
    ...     print(first, second, similarities)
    [1] [2] [0.8]
    """
    if not 0 < threshold <= 1:
        raise UserError(f"threshold is a cosine similarity above 0, at most 1, not {threshold!r}.")
    columns = catalog if other is None else other
    if columns.vectors.shape[1] != catalog.vectors.shape[1]:
        raise UserError(
            f"the vectors of two catalogs have {catalog.vectors.shape[1]} and "
            f"{columns.vectors.shape[1]} dimensions: compute both with one embedder."
        )
    possible = threshold - rounding_bound(catalog.vectors.shape[1])
    blocks = (catalog.block(top, top + BLOCK) for top in range(0, len(catalog), BLOCK))
    with Progress(len(catalog), "photographs compared with all others") as progress:
        for number, rows in enumerate(progress.counted(blocks)):
            top = number * BLOCK
            for left in range(top if other is None else 0, len(columns), BLOCK):
                block = columns.block(left, left + BLOCK)
                near = rows @ block.T >= possible
                first, second = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
                exact = exact_similarity(round_to_grid(rows[first]), round_to_grid(block[second]))
                found = exact >= np.float32(threshold)
                if other is None and left == top:
                    found &= first[:, None] < second
                i, j = np.nonzero(found)
                if i.size:
                    yield top + first[i], left + second[j], exact[i, j]
