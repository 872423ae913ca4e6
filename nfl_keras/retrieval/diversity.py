"""How much of what tells the photographs of one class apart is left in their embeddings."""

import dataclasses

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.retrieval.labels import integer_labels
from nfl_keras.retrieval.similarity import unit_vectors

# Singular values of n float32 unit vectors below this times sqrt(n) are rounding.
RESOLUTION = 2.0**-23


@dataclasses.dataclass(frozen=True)
class ClassDiversity:
    """How far apart the photographs of a class lie; each figure is a mean over classes.

    Args:
        same_class_cosine: float in -1..1. Mean cosine similarity of two different photographs
            of a class. The lower, the farther apart.
        effective_rank: float >= 0. Number of directions in which the photographs of a class
            differ, those in which they differ little counting less than one.
        num_classes: int. Classes counted, those of two photographs or more.
        num_skipped: int. Classes of a single photograph, left out of both means.
    """

    same_class_cosine: float
    effective_rank: float
    num_classes: int
    num_skipped: int


def class_diversity(embeddings, labels):
    """Measure how diverse the embeddings within a class are.

    Class by class, with f_1 ... f_n its unit vectors: the mean cosine of all pairs is
    (|sum f|^2 - n) / (n (n - 1)). The effective rank is exp(-sum_k p_k log p_k), with p_k the
    singular values of the matrix of the f_i - mean f, divided by their sum. It is centerd, since
    the mean direction, which a class is recognized by, would otherwise count as a direction in
    which its photographs differ, and outweigh the others. It lies between 1 and min(n - 1, D),
    and is always 1 for two photographs; for photographs that are all embedded alike, within
    the resolution of float32, it is 0. Since n bounds it, compare it between models on the same
    photographs only.

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
            f"each of the {len(classes):,} classes has a single photograph: there is no pair of "
            f"one class to compare."
        )
    cosine, rank = np.mean([_measure(embeddings[rows]) for rows in counted], axis=0)
    return ClassDiversity(
        same_class_cosine=float(cosine),
        effective_rank=float(rank),
        num_classes=len(counted),
        num_skipped=len(classes) - len(counted),
    )


def _measure(vectors):
    """`(mean cosine of all pairs, effective rank)` of one class."""
    count = len(vectors)
    vectors = vectors.astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    total = vectors.sum(axis=0)
    cosine = (total @ total - count) / (count * (count - 1))
    vectors -= total / count
    # Their squares are the eigenvalues of this matrix, which is far quicker than to decompose
    # the other, and errs by less than the resolution.
    wide = count < vectors.shape[1]
    gram = vectors @ vectors.T if wide else vectors.T @ vectors
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0))
    values = values[values > RESOLUTION * np.sqrt(count)]
    if not values.size:
        return cosine, 0.0
    shares = values / values.sum()
    return cosine, np.exp(-(shares * np.log(shares)).sum())
