"""Defines what the searches for faults read of a catalog."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import UNIT_TOLERANCE
from nfl_keras.retrieval.nearest import Vectors

_CHECKED = 2**13  # rows read at once


@dataclasses.dataclass(frozen=True)
class Photograph:
    """One photograph that a search for faults found.

    Args:
        id: str.
        label: str, or `None` without one.
        part: str. The split or the catalog that it is in; `""` where there is only one.
        read: function without arguments to its encoded bytes (JPEG, PNG, ...).
    """

    id: str
    label: str | None
    part: str
    read: Callable[[], bytes] = dataclasses.field(repr=False, compare=False)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Catalog:
    """Photographs and their vectors, in which faults are searched for.

    Args:
        ids: sequence of str, `[N]`.
        labels: sequence of str, `[N]`, `None` for photographs without a label. Defaults to
            `None`: no photograph has one.
        hashes: array of integers or strings `[N]`. Photographs with the same file content have
            the same hash, and no others.
        vectors: `Vectors` `[N, D]`, unit vectors. They are read block by block.
        read: function from a position in `0 .. N - 1` to that photograph's encoded bytes
            (JPEG, PNG, ...).

    Raises:
        UserError: if the arguments differ in length, or a row of `vectors` is not a finite unit
            vector.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> files = ["rose/1.jpg", "rose/2.jpg"]
    >>> catalog = Catalog(
    ...     ids=files,
    ...     labels=["rose", "rose"],
    ...     hashes=["5e1f", "90ab"],
    ...     vectors=np.eye(2, dtype="float32"),
    ...     read=lambda position: open(files[position], "rb").read(),
    ... )
    >>> len(catalog)
    2
    """

    ids: Sequence[str]
    labels: Sequence[str | None] | None
    hashes: Sequence[str] | np.ndarray
    vectors: Vectors
    read: Callable[[int], bytes]

    def __post_init__(self) -> None:
        for name in ("ids", "labels", "hashes"):
            column = getattr(self, name)
            if column is not None and len(column) != len(self.vectors):
                raise UserError(
                    f"there are {len(column):,} {name} for {len(self.vectors):,} vectors of a "
                    f"catalog: give one for each."
                )
        if len(self.vectors.shape) != 2:
            raise UserError(
                f"vectors of a catalog have the shape [N, D], not {self.vectors.shape}."
            )
        for start in range(0, len(self), _CHECKED):
            norms = np.linalg.norm(self.block(start, start + _CHECKED), axis=1)
            wrong = np.flatnonzero(~(np.abs(norms - 1) <= UNIT_TOLERANCE))
            if wrong.size:
                raise UserError(
                    f"the vector of {self.ids[start + wrong[0]]!r} has norm "
                    f"{norms[wrong[0]]:.4g}, not 1: divide each vector by its norm."
                )

    def __len__(self) -> int:
        return len(self.vectors)

    def block(self, start: int, stop: int) -> np.ndarray:
        """Reads the vectors of positions `start .. stop - 1`, as contiguous float32 `[B, D]`."""
        return np.ascontiguousarray(self.vectors[start:stop], dtype=np.float32)

    def label(self, position: int) -> str | None:
        """Returns the label of a position, `None` without one."""
        label = None if self.labels is None else self.labels[position]
        return None if label is None else str(label)

    def photograph(self, position: int, part: str = "") -> Photograph:
        """Returns the photograph of a position."""
        return Photograph(
            id=str(self.ids[position]),
            label=self.label(position),
            part=part,
            read=lambda: self.read(position),
        )
