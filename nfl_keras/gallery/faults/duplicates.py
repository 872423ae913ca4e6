"""Finds photographs that a catalog has more than once."""

import dataclasses

import numpy as np

from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.find_groups import THRESHOLD, find_groups
from nfl_keras.gallery.faults.photograph_groups import PhotographGroups
from nfl_keras.gallery.faults.similar_pairs import similar_pairs


@dataclasses.dataclass(frozen=True, repr=False)
class Duplicates(PhotographGroups):
    """Photographs that a catalog has more than once, see `PhotographGroups`."""


def duplicates(catalog: Catalog, threshold: float = THRESHOLD) -> Duplicates:
    """Finds photographs that a catalog has more than once, as identical files or nearly so.

    Every photograph is compared with every other, block by block, and photographs that
    similarity connects are in one group. A group of three may therefore hold two that are less
    similar than the threshold.

    Args:
        catalog: `Catalog`.
        threshold: float, the least cosine similarity of near copies. A trained embedder draws
            photographs of one class together, and needs a higher one. Defaults to `0.95`, which
            suits a pretrained backbone as it is.

    Returns:
        `Duplicates`.

    Raises:
        UserError: if the threshold is not above 0 and at most 1.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.duplicates import duplicates
    >>> vectors = np.array([[1.0, 0.0], [0.6, 0.8], [1.0, 0.0]], dtype="float32")
    >>> ids, labels = ["1.jpg", "2.jpg", "3.jpg"], ["iris", "iris", "tulip"]
    >>> catalog = Catalog(ids, labels, ["5e", "90", "a1"], vectors, lambda position: b"")
    >>> duplicates(catalog)
    2 of 3 photographs are in groups, at similarity 0.95 or more
    groups: 1, of identical files: 0, with different labels: 1
    group  id     label  content  similarity
    1      1.jpg  iris   1        1.0000
    1      3.jpg  tulip  2        1.0000
    """
    pairs = similar_pairs(catalog, threshold)
    groups = find_groups(pairs, np.asarray(catalog.hashes), catalog.photograph)
    return Duplicates(len(catalog), threshold, groups)
