"""Similarities that are exact only where the ranks of the relevant items depend on it."""

from collections.abc import Sequence

import numpy as np

from nfl_keras.retrieval.exact_similarity import exact_similarity, round_to_grid, rounding_bound
from nfl_keras.retrieval.self_exclusion import mask_own

# Where more than one item in so many needs an exact similarity, a product with the whole gallery is
# faster than with these items.
CROWDED = 32
# Where more than one pair in so many is relevant, most queries would be crowded.
LARGE_CLASSES = 512
# Bounds the gallery items of which float64 copies are held at once.
GALLERY_ITEMS = 1024


def comparable_similarity(
    query: np.ndarray, gallery: np.ndarray, relevant: Sequence[np.ndarray], own: np.ndarray
) -> np.ndarray:
    """Computes similarities that compare with each query's relevant items as the exact ones do.

    The relevant items' similarities are exact, and so are those so close to one of them that the
    rounding of a float32 product could change which is greater. The others are float32 products,
    which take half the time.

    Args:
        query: float32 `[B, D]`, unit vectors.
        gallery: float32 `[G, D]`, unit vectors.
        relevant: for each query the positions of its relevant items, integers.
        own: int64 `[B]` from `own_positions`. A query's own photograph gets -inf.

    Returns:
        float32 `[B, G]`.

    Example:

    >>> from nfl_keras.retrieval.comparable_similarity import comparable_similarity
    >>> vectors = np.eye(3, dtype=np.float32)
    >>> comparable_similarity(vectors[:1], vectors, [np.array([2])], own=np.array([0]))
    array([[-inf,   0.,   0.]], dtype=float32)
    """
    rounded = round_to_grid(query)
    shape = len(query), len(gallery)
    if sum(map(len, relevant)) > shape[0] * shape[1] // LARGE_CLASSES:
        similarities = _exact(rounded, gallery)
        mask_own(similarities, own, -np.inf)
        return similarities
    similarities = np.matmul(query, gallery.T)
    mask_own(similarities, own, -np.inf)
    bound = rounding_bound(query.shape[1])
    crowded = []
    for number, (row, hits) in enumerate(zip(similarities, relevant, strict=True)):
        row[hits] = _exact(rounded[number, None], gallery[hits])[0]
        near = _near(row, row[hits], bound)
        if len(near) > shape[1] // CROWDED:
            crowded.append(number)
        else:
            row[near] = _exact(rounded[number, None], gallery[near])[0]
    if crowded:
        similarities[crowded] = _exact(rounded[crowded], gallery)
        mask_own(similarities, own, -np.inf)
    return similarities


def _exact(rounded: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Computes `exact_similarity` with a bounded part of the gallery in float64 at a time."""
    similarities = np.empty((len(rounded), len(gallery)), dtype=np.float32)
    for start in range(0, len(gallery), GALLERY_ITEMS):
        part = slice(start, start + GALLERY_ITEMS)
        similarities[:, part] = exact_similarity(rounded, round_to_grid(gallery[part]))
    return similarities


def _near(similarities: np.ndarray, thresholds: np.ndarray, bound: float) -> np.ndarray:
    """Returns the positions of the similarities within `bound` of a threshold."""
    thresholds = np.append(np.sort(thresholds), np.float32(np.inf))
    positions = np.flatnonzero(similarities >= thresholds[0] - bound)
    candidates = similarities[positions]
    above = thresholds[np.searchsorted(thresholds, candidates - bound)]
    return positions[above <= candidates + bound]
