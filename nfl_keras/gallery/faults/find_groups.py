"""Finds the groups of photographs that show the same."""

import itertools
from collections.abc import Callable, Hashable, Iterable

import numpy as np

from nfl_keras.gallery.faults.catalog import Photograph
from nfl_keras.gallery.faults.group_pairs import group_pairs
from nfl_keras.gallery.faults.photograph_groups import Member, PhotographGroup
from nfl_keras.gallery.faults.same_content import same_content
from nfl_keras.gallery.faults.similar_pairs import Pairs

# Near copies, by the pooled features of EfficientNet-Lite0 as they come from ImageNet. In
# Flowers-17 and in a part of Cars-196, all 91 pairs at 0.95 or more show one scene, cropped or
# encoded anew. The first pair of different flowers has 0.945, see benchmarks/catalog_faults.md.
THRESHOLD = 0.95


def find_groups(
    pairs: Iterable[Pairs],
    hashes: np.ndarray,
    photograph: Callable[[int], Photograph],
    parts: np.ndarray | None = None,
) -> tuple[PhotographGroup, ...]:
    """Groups photographs that similar vectors or the same content connect.

    Args:
        pairs: iterable of `Pairs`, of photographs with similar vectors.
        hashes: integers or strings `[N]`, of the contents.
        photograph: function from a position in `0 .. N - 1` to a `Photograph`.
        parts: integers `[N]`, see `same_content`. Defaults to `None`.

    Returns:
        Tuple of `PhotographGroup` in the order of `PhotographGroups`.
    """
    pairs = itertools.chain([same_content(hashes, parts)], pairs)
    positions, closest = group_pairs(pairs, len(hashes))
    groups = [_group(members, closest, hashes, photograph) for members in positions]
    return tuple(sorted(groups, key=lambda group: (not group.identical, -group.similarity)))


def _group(
    positions: np.ndarray,
    closest: np.ndarray,
    hashes: np.ndarray,
    photograph: Callable[[int], Photograph],
) -> PhotographGroup:
    numbers: dict[Hashable, int] = {}
    members = []
    for position in positions.tolist():
        content = numbers.setdefault(hashes[position], len(numbers) + 1)
        # A vector in float16 is a little longer or shorter than 1.
        similarity = round(min(1.0, float(closest[position])), 6)
        members.append(Member(photograph(position), content, similarity))
    return PhotographGroup(tuple(members))
