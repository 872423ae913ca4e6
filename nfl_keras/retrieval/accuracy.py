"""Classification accuracy."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import integer_labels


def accuracy(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Computes the share of photographs whose most probable class is their own.

    Args:
        probabilities: float `[N, K]`, e.g. from `classify`. Among equal ones the first counts.
        labels: integers `[N]` in `0 .. K - 1`, numbered as in training.

    Returns:
        float in 0..1.

    Raises:
        UserError: if probabilities or labels cannot be used.

    Example:

    >>> nfl.retrieval.accuracy(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), [0, 1, 1])
    0.6666666666666666
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or not np.issubdtype(probabilities.dtype, np.floating):
        raise UserError(
            f"probabilities must be floats of shape [N, K], not {probabilities.dtype} of shape "
            f"{list(probabilities.shape)}."
        )
    if not probabilities.size:
        raise UserError(f"probabilities of shape {list(probabilities.shape)} are empty.")
    finite = np.isfinite(probabilities).all(axis=1)
    if not finite.all():
        raise UserError(f"row {finite.argmin()} of the probabilities has NaN or infinity.")
    count, num_classes = probabilities.shape
    labels = integer_labels(labels, count, "labels", of="rows of probabilities")
    if not 0 <= labels.min() <= labels.max() < num_classes:
        raise UserError(
            f"labels run from {labels.min()} to {labels.max()}, but the classifier has "
            f"{num_classes:,} classes (0 to {num_classes - 1:,}): number them as in training."
        )
    return float(np.mean(probabilities.argmax(axis=1) == labels))
