"""The form in which every dataset enters the house."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from nfl_keras.errors import UserError

OWN_SPLITS = ("train", "test", "gallery", "query")


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled photographs, read one at a time as encoded bytes.

    Nothing is decoded or held in memory but the index: an id and a label per photograph.

    Args:
        ids: sequence of str, `[N]`, unique. Two sets that hold the same photograph give
            it the same id, which is how retrieval leaves a query out of its own answer.
        labels: int32 `[N]`, each in `0 .. len(class_names) - 1`.
        class_names: sequence of str: `class_names[label]` is the name of a class. Classes without
            a photograph may be among them.
        read: function from a position in `0 .. N - 1` to that photograph's encoded bytes
            (JPEG, PNG, ...).
        description: str. What the set is part of, in words, for reports.
        own_split: sequence of str, `[N]`, each `"train"`, `"test"`, `"gallery"` or `"query"`:
            the split that the dataset itself brings. `"test"` is both query and gallery.
            Defaults to `None`, for a dataset that brings none.

    Raises:
        UserError: if ids repeat, or ids, labels, class names and split do not fit together.

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
    description: str = ""
    own_split: Sequence[str] | None = None

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
        if self.own_split is not None:
            own_split = np.asarray(self.own_split, dtype=str)
            if own_split.shape != ids.shape:
                raise UserError(
                    f"own_split must have one entry per photograph, of shape {ids.shape}, not "
                    f"{own_split.shape}."
                )
            unknown = np.setdiff1d(own_split, OWN_SPLITS)
            if unknown.size:
                raise UserError(
                    f"own_split must be of {', '.join(OWN_SPLITS)}, not {str(unknown[0])!r}."
                )
            object.__setattr__(self, "own_split", own_split)
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "labels", labels.astype(np.int32))
        object.__setattr__(self, "class_names", tuple(self.class_names))

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"ImageSet({len(self):,} photographs of {self.num_classes:,} classes)"

    @functools.cached_property
    def classes(self) -> np.ndarray:
        """The labels of the classes that have a photograph, int32 `[K]`, ascending."""
        return np.unique(self.labels)

    @property
    def num_classes(self) -> int:
        """The number of classes that have a photograph."""
        return len(self.classes)

    def subset(self, indices, description: str | None = None) -> "ImageSet":
        """Returns the photographs at `indices`, in that order.

        Labels and class names stay those of this set, so that a label means the same class in
        every part of a dataset. `classes` tells which of them are left.

        Args:
            indices: int `[M]`, positions in this set, or bool `[N]`, true for those to keep.
            description: str, replaces this set's. Defaults to this set's.

        Returns:
            An `ImageSet` of M photographs.

        Raises:
            UserError: if the indices are no such array.
        """
        indices = self._positions(indices)
        return ImageSet(
            ids=self.ids[indices],
            labels=self.labels[indices],
            class_names=self.class_names,
            read=lambda position: self.read(int(indices[position])),
            description=self.description if description is None else description,
            own_split=None if self.own_split is None else self.own_split[indices],
        )

    def _positions(self, indices):
        indices = np.array(indices)
        if indices.dtype == bool and indices.shape == (len(self),):
            return np.flatnonzero(indices)
        if indices.ndim != 1 or not (np.issubdtype(indices.dtype, np.integer) or not indices.size):
            raise UserError(
                f"a subset is chosen by integer positions of shape (M,) or a bool mask of shape "
                f"({len(self)},), not by {indices.dtype} of shape {indices.shape}."
            )
        indices = indices.astype(np.int64)
        if indices.size and not -len(self) <= indices.min() <= indices.max() < len(self):
            raise UserError(
                f"positions run from {indices.min()} to {indices.max()}, but there are "
                f"{len(self)} photographs."
            )
        return indices % max(1, len(self))
