"""The first answer to each labeled query, with its class in the gallery and without it."""

import dataclasses

import numpy as np

from nfl_keras.retrieval.nearest import Vectors, nearest

_GROWTH = 8  # of the number of neighbors, from one search to the next
_COST = 8  # of one neighbor of a query, in similarities that a search computes


@dataclasses.dataclass(frozen=True)
class FirstAnswers:
    """The first answer to each query, as a search gives it in either of two cases.

    Args:
        similarity: float32 `[Q]`, of the nearest item of the gallery.
        right: bool `[Q]`, whether that item is of the query's class.
        present: bool `[Q]`, whether the gallery has an item of the query's class.
        other_similarity: float32 `[Q]`, of the nearest item of another class: the first answer
            if the query's class were missing from the gallery. -inf where there is none.
    """

    similarity: np.ndarray
    right: np.ndarray
    present: np.ndarray
    other_similarity: np.ndarray


def first_answers(
    query: np.ndarray,
    query_labels: np.ndarray,
    gallery: Vectors,
    gallery_labels: np.ndarray,
    own: np.ndarray,
) -> FirstAnswers:
    """Finds the nearest item, and the nearest item of another class, of each query.

    Both are exact. The nearest of another class is looked for among 1, 8, 64, ... neighbors. Where
    that would take more than a search without each class that is left, such searches follow.

    Args:
        query: float32 `[Q, D]`, contiguous, unit vectors.
        query_labels: int64 `[Q]`.
        gallery: `Vectors` `[G, D]`.
        gallery_labels: int64 `[G]`.
        own: int64 `[Q]`, the position of the query's own photograph, which is no answer; -1 for
            none.

    Returns:
        `FirstAnswers`.

    Example:

    >>> from nfl_keras.gallery.calibrating.first_answers import first_answers
    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32)
    >>> labels = np.array([0, 0, 1])
    >>> first_answers(vectors[:1], labels[:1], vectors, labels, own=np.array([0]))
    FirstAnswers(similarity=array([0.8], dtype=float32), right=array([ True]),
                 present=array([ True]), other_similarity=array([0.], dtype=float32))
    """
    similarity = np.full(len(query), -np.inf, dtype=np.float32)
    right = np.zeros(len(query), dtype=bool)
    other = np.full(len(query), -np.inf, dtype=np.float32)
    left, depth = np.arange(len(query)), 1
    while depth == 1 or _COST * len(left) * depth < _num_classes(query_labels[left]) * len(gallery):
        found, similarities = nearest(query[left], gallery, depth, own[left])
        differs = (found >= 0) & (gallery_labels[found] != query_labels[left, None])
        if depth == 1:
            similarity, right = similarities[:, 0], (found[:, 0] >= 0) & ~differs[:, 0]
        met = differs.any(axis=1)
        other[left[met]] = similarities[met, differs[met].argmax(axis=1)]
        left, depth = left[~met], depth * _GROWTH
    for label in np.unique(query_labels[left]):
        of_class = left[query_labels[left] == label]
        others = gallery_labels != label
        other[of_class] = nearest(query[of_class], gallery, 1, own[of_class], others)[1][:, 0]
    return FirstAnswers(similarity, right, _present(query_labels, gallery_labels, own), other)


def _num_classes(labels: np.ndarray) -> int:
    return len(np.unique(labels))


def _present(query_labels: np.ndarray, gallery_labels: np.ndarray, own: np.ndarray) -> np.ndarray:
    labels, counts = np.unique(gallery_labels, return_counts=True)
    places = np.minimum(np.searchsorted(labels, query_labels), len(labels) - 1)
    items = np.where(labels[places] == query_labels, counts[places], 0)
    own_class = (own >= 0) & (gallery_labels[own] == query_labels)
    return items > own_class
