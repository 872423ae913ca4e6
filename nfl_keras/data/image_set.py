"""The form in which every dataset enters the house."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from nfl_keras.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled photographs, read one at a time as encoded bytes.

    Nothing is decoded or held in memory but the index: an id and a label per photograph.

    Args:
        ids: sequence of str, `[N]`, unique. Two sets that hold the same photograph give
            it the same id, which is how retrieval leaves a query out of its own answer.
        labels: int32 `[N]`, each in `0 .. len(class_names) - 1`.
        class_names: sequence of str, in label order.
        read: function from a position in `0 .. N - 1` to that photograph's encoded bytes
            (JPEG, PNG, ...).
        protocol: str. What the set is part of, in words, for reports.

    Raises:
        UserError: if ids repeat, or ids, labels and class names do not fit together.

    Example:

    >>> files = ["rose/1.jpg", "rose/2.jpg", "tulip/1.jpg"]
    >>> image_set = nfl.data.ImageSet(
    ...     files, [0, 0, 1], ["rose", "tulip"], lambda i: open(files[i], "rb").read()
    ... )
    >>> len(image_set)
    3
    """

    ids: Sequence[str]
    labels: np.ndarray
    class_names: Sequence[str]
    read: Callable[[int], bytes]
    protocol: str = ""

    def __post_init__(self):
        ids = np.asarray(self.ids, dtype=str)
        labels = np.asarray(self.labels)
        if labels.size and not np.issubdtype(labels.dtype, np.integer):
            raise UserError(f"labels must be integers, not {labels.dtype}.")
        if ids.ndim != 1 or ids.shape != labels.shape:
            raise UserError(
                f"ids and labels must be one-dimensional and of one length, not of shapes "
                f"{ids.shape} and {labels.shape}."
            )
        unique, counts = np.unique(ids, return_counts=True)
        if len(unique) < len(ids):
            raise UserError(f"the id {str(unique[counts.argmax()])!r} is given to two photographs.")
        if labels.size and not 0 <= labels.min() <= labels.max() < len(self.class_names):
            raise UserError(
                f"labels run from {labels.min()} to {labels.max()}, but there are "
                f"{len(self.class_names)} class names (0 to {len(self.class_names) - 1})."
            )
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "labels", labels.astype(np.int32))
        object.__setattr__(self, "class_names", tuple(self.class_names))

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        return f"ImageSet({len(self):,} photographs of {len(self.class_names):,} classes)"

    def subset(self, indices, protocol=None):
        """The photographs at `indices`, in that order, with classes numbered anew.

        Classes that keep no photograph are dropped and the others numbered from 0 in
        their old order, so that a classification head is never wider than its data.

        Args:
            indices: int `[M]`, positions in this set.
            protocol: str, replaces this set's. Defaults to this set's.

        Returns:
            An `ImageSet` of M photographs.
        """
        indices = np.array(indices, dtype=np.int64)
        kept, labels = np.unique(self.labels[indices], return_inverse=True)
        return ImageSet(
            ids=self.ids[indices],
            labels=labels,
            class_names=[self.class_names[label] for label in kept],
            read=lambda position: self.read(int(indices[position])),
            protocol=self.protocol if protocol is None else protocol,
        )
