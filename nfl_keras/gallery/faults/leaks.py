"""Finds photographs of one catalog or split that stand in another."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults.catalog import Catalog, Photograph
from nfl_keras.gallery.faults.find_groups import THRESHOLD, find_groups
from nfl_keras.gallery.faults.photograph_groups import PhotographGroups
from nfl_keras.gallery.faults.similar_pairs import similar_pairs


@dataclasses.dataclass(frozen=True, repr=False)
class Leaks(PhotographGroups):
    """Photographs that stand in two catalogs or splits, see `PhotographGroups`.

    Each group has members of two parts or more, and only pairs across parts connect it.
    """


def leaks(
    catalog: Catalog,
    other: Catalog,
    threshold: float = THRESHOLD,
    names: tuple[str, str] = ("this", "other"),
) -> Leaks:
    """Finds photographs of one catalog that stand in another, as identical files or nearly so.

    Args:
        catalog: `Catalog`.
        other: `Catalog` of vectors by the same embedder.
        threshold: float, see `duplicates`. Defaults to `0.95`.
        names: two str, what the parts are called. Defaults to `("this", "other")`.

    Returns:
        `Leaks`.

    Raises:
        UserError: if the threshold is not above 0 and at most 1, or the catalogs' vectors differ
            in dimension.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.leaks import leaks
    >>> vectors = np.eye(2, dtype="float32")
    >>> ours = Catalog(["1.jpg", "2.jpg"], None, ["5e", "90"], vectors, lambda position: b"")
    >>> theirs = Catalog(["3.jpg"], None, ["90"], vectors[1:], lambda position: b"")
    >>> leaks(ours, theirs)
    2 of 3 photographs are in groups, at similarity 0.95 or more
    groups: 1, of identical files: 1, with different labels: 0
    group  id     label  part   content  similarity
    1      2.jpg         this   1        1.0000
    1      3.jpg         other  1        1.0000
    """
    count = len(catalog)

    def photograph(position: int) -> Photograph:
        if position < count:
            return catalog.photograph(position, names[0])
        return other.photograph(position - count, names[1])

    pairs = similar_pairs(catalog, threshold, other)
    groups = find_groups(
        ((first, second + count, similarities) for first, second, similarities in pairs),
        np.concatenate([catalog.hashes, other.hashes]),
        photograph,
        parts=np.repeat([0, 1], [count, len(other)]),
    )
    return Leaks(count + len(other), threshold, groups)


def leaks_between_splits(
    catalog: Catalog, splits: Sequence[str] | np.ndarray, threshold: float = THRESHOLD
) -> Leaks:
    """Finds photographs that stand in two splits of one catalog, as identical files or nearly so.

    Args:
        catalog: `Catalog`.
        splits: sequence of str, `[N]`, the split of each photograph, such as `"train"`.
        threshold: float, see `duplicates`. Defaults to `0.95`.

    Returns:
        `Leaks`.

    Raises:
        UserError: if the threshold is not above 0 and at most 1, or there is not one split for
            each photograph.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.leaks import leaks_between_splits
    >>> vectors, ids = np.eye(3, dtype="float32"), ["1.jpg", "2.jpg", "3.jpg"]
    >>> catalog = Catalog(ids, None, ["5e", "90", "5e"], vectors, lambda position: b"")
    >>> leaks_between_splits(catalog, ["train", "train", "test"])
    2 of 3 photographs are in groups, at similarity 0.95 or more
    groups: 1, of identical files: 1, with different labels: 0
    group  id     label  part   content  similarity
    1      1.jpg         train  1        1.0000
    1      3.jpg         test   1        1.0000
    """
    if len(splits) != len(catalog):
        raise UserError(
            f"there are {len(splits):,} splits for {len(catalog):,} photographs: give one for each."
        )
    names, parts = np.unique(np.asarray(splits, dtype=str), return_inverse=True)
    pairs = (
        tuple(column[parts[first] != parts[second]] for column in (first, second, similarities))
        for first, second, similarities in similar_pairs(catalog, threshold)
    )
    groups = find_groups(
        pairs,
        np.asarray(catalog.hashes),
        lambda position: catalog.photograph(position, str(names[parts[position]])),
        parts,
    )
    return Leaks(len(catalog), threshold, groups)
