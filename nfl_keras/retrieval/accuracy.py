"""Classification accuracy."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import finite_rows, integer_labels


def accuracy(
    probabilities: ArrayLike, labels: ArrayLike, class_labels: ArrayLike | None = None
) -> float:
    """Computes the share of photographs whose most probable class is their own.

    Args:
        probabilities: float `[N, K]`, e.g. from `classify`. Among equal ones the first counts.
        labels: integers `[N]`, each of them in `class_labels`.
        class_labels: integers `[K]`, the label that each column stands for. Defaults to
            `range(K)`.

    Returns:
        float in 0..1.

    Raises:
        UserError: if probabilities or labels cannot be used.

    Example:

    >>> nfl.retrieval.accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 1])
    0.6666666666666666
    """
    probabilities = finite_rows(probabilities, "probabilities", "[N, K]")
    count, num_classes = probabilities.shape
    labels = integer_labels(labels, count, "labels", of="rows of probabilities")
    columns = np.arange(num_classes) if class_labels is None else np.asarray(class_labels)
    if columns.shape != (num_classes,):
        raise UserError(
            f"class_labels has shape {list(columns.shape)} for {num_classes:,} columns of "
            f"probabilities; pass the classifier's own, model.class_labels."
        )
    unknown = np.setdiff1d(labels, columns)
    if unknown.size:
        raise UserError(
            f"labels run from {labels.min()} to {labels.max()}, but the classifier has "
            f"{num_classes:,} classes ({columns.min():,} to {columns.max():,}) and not the label "
            f"{unknown[0]}: number them as in training."
        )
    return float(np.mean(columns[probabilities.argmax(axis=1)] == labels))
