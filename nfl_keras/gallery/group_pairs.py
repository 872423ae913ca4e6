"""Groups what pairs connect."""

from collections.abc import Iterable

import numpy as np
import scipy.sparse

from nfl_keras.gallery.similar_pairs import Pairs


def group_pairs(pairs: Iterable[Pairs], count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Groups photographs that pairs connect, directly or by others between them.

    The groups are joined block by block: however many pairs there are, only those of one block
    are in memory.

    Args:
        pairs: iterable of `Pairs`, positions in `0 .. count - 1`.
        count: int, the number of photographs.

    Returns:
        groups: list of int64 arrays, the ascending positions of each group of two or more. The
            groups are in the order of their first positions.
        closest: float32 `[count]`, the highest similarity in a photograph's pairs, -inf without
            one.

    Example:

    >>> from nfl_keras.gallery.group_pairs import group_pairs
    >>> pairs = np.array([0, 1]), np.array([1, 4]), np.array([0.9, 0.8], dtype="float32")
    >>> groups, closest = group_pairs([pairs], count=5)
    >>> groups
    [array([0, 1, 4])]
    >>> closest
    array([ 0.9,  0.9, -inf, -inf,  0.8], dtype=float32)
    """
    group = np.arange(count)
    closest = np.full(count, -np.inf, dtype=np.float32)
    for first, second, similarities in pairs:
        np.maximum.at(closest, first, similarities)
        np.maximum.at(closest, second, similarities)
        edges = np.ones(len(first), dtype=bool), (group[first], group[second])
        graph = scipy.sparse.coo_array(edges, shape=(count, count))
        group = scipy.sparse.csgraph.connected_components(graph, directed=False)[1][group]
    members = np.flatnonzero(~np.isneginf(closest))
    ordered = members[np.argsort(group[members], kind="stable")]
    starts = np.flatnonzero(np.diff(group[ordered])) + 1
    groups = np.split(ordered, starts) if ordered.size else []
    return sorted(groups, key=lambda positions: positions[0]), closest
