"""Groups what pairs connect."""

from collections.abc import Iterable, Iterator

import numpy as np
import scipy.sparse

from nfl_keras.gallery.faults.similar_pairs import Pairs

# A merge takes time for every photograph, so it waits for this many pairs.
_MERGED = 2**20


def group_pairs(pairs: Iterable[Pairs], count: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Groups photographs that pairs connect, directly or by others between them.

    Groups are merged whenever a million pairs have come, so that however many there are, no more
    of them than that and one block's are in memory.

    Args:
        pairs: iterable of `Pairs`, positions in `0 .. count - 1`.
        count: int, the number of photographs.

    Returns:
        groups: list of int64 arrays, the ascending positions of each group of two or more. The
            groups are in the order of their first positions.
        closest: float32 `[count]`, the highest similarity in a photograph's pairs, -inf without
            one.

    Example:

    >>> from nfl_keras.gallery.faults.group_pairs import group_pairs
    >>> pairs = np.array([0, 1]), np.array([1, 4]), np.array([0.9, 0.8], dtype="float32")
    >>> groups, closest = group_pairs([pairs], count=5)
    >>> groups
    [array([0, 1, 4])]
    >>> closest
    array([ 0.9,  0.9, -inf, -inf,  0.8], dtype=float32)
    """
    group = np.arange(count)
    closest = np.full(count, -np.inf, dtype=np.float32)
    for first, second, similarities in _batches(pairs):
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


def _batches(pairs: Iterable[Pairs]) -> Iterator[Pairs]:
    pending: list[Pairs] = []
    count = 0
    for block in pairs:
        pending.append(block)
        count += len(block[0])
        if count >= _MERGED:
            yield _concatenate(pending)
            pending, count = [], 0
    if pending:
        yield _concatenate(pending)


def _concatenate(blocks: list[Pairs]) -> Pairs:
    first, second, similarities = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return first, second, similarities
