"""The embedding of a photograph from those of its crops."""

from collections.abc import Iterable

import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.data.decoding.photograph_error import NO_DIRECTION
from nfl_keras.errors import UserError


def average_crops(batches: Iterable[np.ndarray], image_set: ImageSet) -> np.ndarray:
    """Averages the unit vectors of each photograph's crops, and scales the mean to unit length.

    Args:
        batches: iterable of `[B, crops, D]`, the photographs of a set in order.
        image_set: `nfl.data.ImageSet`, for messages.

    Returns:
        float32 `[N, D]`, unit vectors.

    Raises:
        UserError: if a mean has no direction, since it is zero or not finite.
    """
    means = np.concatenate([of_crops.mean(axis=1) for of_crops in batches])
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    lost = np.flatnonzero(~(np.isfinite(norms) & (norms > 0)))
    if lost.size:
        raise UserError(
            f"{lost.size:,} of {len(means):,} photographs cannot be used, the first of them "
            f"{str(image_set.ids[lost[0]])!r}: {NO_DIRECTION}; replace or remove them, or train "
            f"with a lower learning rate if they are many, as weights that have diverged make them."
        )
    return (means / norms).astype(np.float32)
