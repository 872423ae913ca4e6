"""Numbers in place of the names of classes."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError


def numbered_classes(
    query_labels: ArrayLike, num_queries: int, gallery_labels: ArrayLike, num_gallery: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers the classes of queries and gallery items together.

    Args:
        query_labels: integers or strings `[num_queries]`.
        num_queries: int.
        gallery_labels: integers or strings `[num_gallery]`, of the same kind.
        num_gallery: int.

    Returns:
        names: `[C]`, the labels, sorted.
        of_query: int64 `[num_queries]`, the place of each query's label in `names`.
        of_gallery: int64 `[num_gallery]`, the same of the gallery's items.

    Raises:
        UserError: if labels are not integers or strings, or their number does not fit.

    Example:

    >>> from nfl_keras.gallery.calibrating.numbered_classes import numbered_classes
    >>> numbered_classes(["elm", "ash"], 2, ["ash", "oak"], 2)[1:]
    (array([1, 0]), array([0, 2]))
    """
    queries = _checked(query_labels, num_queries, "query_labels")
    gallery = _checked(gallery_labels, num_gallery, "gallery_labels")
    if (queries.dtype.kind in "iu") != (gallery.dtype.kind in "iu"):
        raise UserError("query_labels and gallery_labels must both be integers or both strings.")
    names, numbers = np.unique(np.concatenate([queries, gallery]), return_inverse=True)
    return names, numbers[:num_queries], numbers[num_queries:]


def _checked(labels: ArrayLike, count: int, name: str) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype == object:
        labels = np.asarray(labels.tolist())
    if labels.shape != (count,):
        raise UserError(f"{name} has shape {list(labels.shape)} for {count:,} embeddings.")
    if labels.dtype.kind not in "iuUT":
        raise UserError(f"{name} must be integers or strings, not {labels.dtype}.")
    return labels
