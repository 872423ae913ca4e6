"""Class labels, as the measures take them."""

import numpy as np

from nfl_keras.errors import UserError


def integer_labels(labels, count, name, of="embeddings"):
    """Check labels and return them as int64.

    Args:
        labels: integers `[count]`, of any integer dtype.
        count: int, how many there must be.
        name: str. What the labels are called in errors, such as `"query_labels"`.
        of: str. What they are the labels of, in errors. Defaults to `"embeddings"`.

    Returns:
        int64 `[count]`.

    Raises:
        UserError: for another number of labels, other dtypes, or labels beyond int64.
    """
    labels = np.asarray(labels)
    if labels.shape != (count,):
        raise UserError(f"{name} has shape {list(labels.shape)} for {count:,} {of}.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{name} must be integers, not {labels.dtype}.")
    if labels.max() > np.iinfo(np.int64).max:
        raise UserError(f"{name} has {labels.max()}, beyond 64-bit signed integers: renumber.")
    return labels.astype(np.int64)
