"""How far apart the embeddings of one class lie."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import integer_labels, unit_vectors

# Singular values of n float32 unit vectors below this times sqrt(n) are rounding.
RESOLUTION = 2.0**-23


@dataclasses.dataclass(frozen=True)
class ClassDiversity:
    """The diversity of the embeddings within a class; each figure is a mean over classes.

    Args:
        same_class_cosine: float in -1..1. Mean cosine similarity of two different photographs
            of a class. The lower it is, the farther apart they lie.
        effective_rank: float >= 0. Number of directions in which the photographs of a class
            differ. A direction in which they differ little counts less than one.
        num_classes: int. Classes of two or more photographs, which both means are over.
        num_skipped: int. Classes of a single photograph, which both means leave out.
    """

    same_class_cosine: float
    effective_rank: float
    num_classes: int
    num_skipped: int


def class_diversity(embeddings: ArrayLike, labels: ArrayLike) -> ClassDiversity:
    """Measures how diverse the embeddings within a class are.

    For a class with the unit vectors f_1 ... f_n, the mean cosine of all pairs is
    (|sum f|^2 - n) / (n (n - 1)). The effective rank is exp(-sum_k p_k log p_k), where p_k are
    the singular values of the matrix with the rows f_i - mean f, divided by their sum. The rows
    are centered, since the mean direction tells classes apart, not photographs of one class.

    The effective rank lies between 1 and min(n - 1, D), and is always 1 for two photographs. It
    is 0 where all embeddings of a class are equal within the resolution of float32. Since it is
    bounded by n, compare models on the same photographs only.

    Takes O(N D min(n, D)) time, and memory for a float64 copy of one class.

    Args:
        embeddings: float `[N, D]`, unit vectors.
        labels: integers `[N]`.

    Returns:
        A `ClassDiversity`.

    Raises:
        UserError: if the embeddings or labels cannot be used, or no class has two photographs.

    Example:

    >>> vectors = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    >>> diversity = nfl.retrieval.class_diversity(vectors, [7, 7, 3])
    >>> round(diversity.same_class_cosine, 6), diversity.num_classes, diversity.num_skipped
    (0.6, 1, 1)

    Reference: [NAFL]; Roy and Vetterli, *The effective rank: a measure of effective
    dimensionality*, 2007.
    """
    embeddings = unit_vectors(embeddings, "given")
    labels = integer_labels(labels, len(embeddings), "labels")
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    classes = np.split(order, starts[1:])
    counted = [rows for rows in classes if len(rows) > 1]
    if not counted:
        raise UserError(
            f"each of the {len(classes):,} classes has a single photograph: give at least one "
            f"class with two."
        )
    cosine, rank = np.mean([_measure(embeddings[rows]) for rows in counted], axis=0)
    return ClassDiversity(
        same_class_cosine=float(cosine),
        effective_rank=float(rank),
        num_classes=len(counted),
        num_skipped=len(classes) - len(counted),
    )


def _measure(vectors: np.ndarray) -> tuple[float, float]:
    """Returns the mean cosine of all pairs and the effective rank of one class."""
    count = len(vectors)
    vectors = vectors.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    total = vectors.sum(axis=0)
    cosine = (total @ total - count) / (count * (count - 1))
    vectors -= total / count
    # The singular values are the roots of the eigenvalues of the smaller Gram matrix. That is
    # far quicker than a decomposition of `vectors`, and errs by less than the resolution.
    wide = count < vectors.shape[1]
    gram = vectors @ vectors.T if wide else vectors.T @ vectors
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    values = values[values > RESOLUTION * np.sqrt(count)]
    if not values.size:
        return cosine, 0.0
    shares = values / values.sum()
    return cosine, np.exp(-(shares * np.log(shares)).sum())
