"""Defines the set of labeled photographs that every dataset is read into."""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np

from nfl_keras.errors import UserError

OWN_SPLITS = ("train", "validation", "test", "gallery", "query")


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class ImageSet:
    """Labeled photographs, read one at a time as encoded bytes.

    Only the index is in memory: an id and a label per photograph.

    Args:
        ids: sequence of str, `[N]`, unique. The same photograph has the same id in every set,
            by which retrieval leaves a query out of its own answer.
        labels: int32 `[N]`, each in `0 .. len(class_names) - 1`.
        class_names: sequence of str: `class_names[label]` is the name of a class. Classes without
            a photograph may be among them.
        read: function from a position in `0 .. N - 1` to that photograph's encoded bytes
            (JPEG, PNG, ...).
        description: str, a sentence for reports that says which part of a dataset the set is.
            Defaults to `""`.
        own_split: sequence of str, `[N]`, the dataset's own split: each `"train"`,
            `"validation"`, `"test"`, `"gallery"` or `"query"`. `"test"` is both query and gallery.
            Defaults to `None`: the dataset has no split.
        categories: sequence of str: `categories[label]` is the super-category of a class, such as
            `"sofa"` of one product. Defaults to `None`: the dataset has none.

    Raises:
        UserError: if ids repeat, or ids, labels, class names, categories and split do not fit
            together.

    Example:

    >>> files = ["rose/1.jpg", "rose/2.jpg", "tulip/1.jpg"]
    >>> image_set = nfl.data.ImageSet(
    ...     files, [0, 0, 1], ["rose", "tulip"], lambda i: open(files[i], "rb").read()
    ... )
    >>> len(image_set)
    3
    """

    ids: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    read: Callable[[int], bytes]
    description: str
    own_split: np.ndarray | None
    categories: tuple[str, ...] | None

    def __init__(
        self,
        ids: Sequence[str] | np.ndarray,
        labels: Sequence[int] | np.ndarray,
        class_names: Sequence[str],
        read: Callable[[int], bytes],
        description: str = "",
        own_split: Sequence[str] | np.ndarray | None = None,
        categories: Sequence[str] | None = None,
    ) -> None:
        ids, labels = np.asarray(ids, dtype=str), np.asarray(labels)
        class_names = tuple(class_names)
        _check_ids(ids, labels)
        _check_labels(labels, class_names)
        if own_split is not None:
            own_split = np.asarray(own_split, dtype=str)
            _check_own_split(own_split, ids)
        if categories is not None:
            categories = tuple(categories)
            if len(categories) != len(class_names):
                raise UserError(
                    f"categories must have one entry per class name, {len(class_names)}, not "
                    f"{len(categories)}."
                )
        for name, value in {
            "ids": ids,
            "labels": labels.astype(np.int32),
            "class_names": class_names,
            "read": read,
            "description": description,
            "own_split": own_split,
            "categories": categories,
        }.items():
            object.__setattr__(self, name, value)  # The dataclass is frozen.

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"ImageSet({len(self):,} photographs of {self.num_classes:,} classes)"

    @functools.cached_property
    def classes(self) -> np.ndarray:
        """Returns the labels of the classes that have a photograph, int32 `[K]`, ascending."""
        return np.unique(self.labels)

    @property
    def num_classes(self) -> int:
        """Returns the number of classes that have a photograph."""
        return len(self.classes)

    def subset(
        self, indices: Sequence[int] | np.ndarray, description: str | None = None
    ) -> "ImageSet":
        """Returns the photographs at `indices`, in that order.

        Labels, class names and categories stay those of this set, so that a label means the same
        class in every part of a dataset. `classes` tells which classes are left.

        Args:
            indices: int `[M]`, positions in this set, or bool `[N]`, true for those to keep.
            description: str, the new set's description. Defaults to `None`: this set's.

        Returns:
            An `ImageSet` of M photographs.

        Raises:
            UserError: if the indices have another dtype or shape, or are out of range.

        Example:

        >>> nfl.data.load("blooms").subset([0, 1, 2])
        ImageSet(3 photographs of 1 classes)
        """
        indices = self._positions(indices)
        return ImageSet(
            ids=self.ids[indices],
            labels=self.labels[indices],
            class_names=self.class_names,
            read=lambda position: self.read(int(indices[position])),
            description=self.description if description is None else description,
            own_split=None if self.own_split is None else self.own_split[indices],
            categories=self.categories,
        )

    def _positions(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        indices = np.array(indices)
        if indices.dtype == bool and indices.shape == (len(self),):
            return np.flatnonzero(indices)
        if indices.ndim != 1 or not (np.issubdtype(indices.dtype, np.integer) or not indices.size):
            raise UserError(
                f"a subset needs integer positions of shape (M,) or a bool mask of shape "
                f"({len(self)},), not {indices.dtype} of shape {indices.shape}."
            )
        indices = indices.astype(np.int64)
        if indices.size and not -len(self) <= indices.min() <= indices.max() < len(self):
            raise UserError(
                f"positions run from {indices.min()} to {indices.max()}, but there are "
                f"{len(self)} photographs."
            )
        return indices % max(1, len(self))


def _check_ids(ids: np.ndarray, labels: np.ndarray) -> None:
    if ids.ndim != 1 or ids.shape != labels.shape:
        raise UserError(
            f"ids and labels must be one-dimensional and of one length, not of shapes "
            f"{ids.shape} and {labels.shape}."
        )
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        raise UserError(f"two photographs have the id {str(unique[counts.argmax()])!r}.")


def _check_labels(labels: np.ndarray, class_names: tuple[str, ...]) -> None:
    if labels.size and not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"labels must be integers, not {labels.dtype}.")
    if labels.size and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise UserError(
            f"labels run from {labels.min()} to {labels.max()}, but there are "
            f"{len(class_names)} class names (0 to {len(class_names) - 1})."
        )


def _check_own_split(own_split: np.ndarray, ids: np.ndarray) -> None:
    if own_split.shape != ids.shape:
        raise UserError(
            f"own_split must have one entry per photograph, of shape {ids.shape}, not "
            f"{own_split.shape}."
        )
    unknown = np.setdiff1d(own_split, OWN_SPLITS)
    if unknown.size:
        raise UserError(
            f"own_split must be one of {', '.join(OWN_SPLITS)}, not {str(unknown[0])!r}."
        )
