"""Defines what a gallery searches in, wherever it is kept."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.where import Where
from nfl_keras.retrieval.nearest import Vectors


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """The most similar photographs of each query.

    Args:
        positions: int64 `[Q, k]`, rows of `items` and `vectors`, the most similar first; -1 where
            there are fewer than k.
        similarities: float32 `[Q, k]`, -inf where there are fewer than k.
        items: `pyarrow.Table`, sorted by `id`: the gallery's, or those that were found.
        vectors: `Vectors` in the order of `items`.
    """

    positions: np.ndarray
    similarities: np.ndarray
    items: pa.Table
    vectors: Vectors


class Contents(Protocol):
    """One state of a gallery, which stays readable when another is written.

    Attributes:
        manifest: `Manifest`.
        items: `pyarrow.Table` of the photographs, sorted by `id`, with their `sha256`. An engine
            elsewhere reads them when they are first asked for.
        left_out: `pyarrow.Table` of photographs that cannot be used, with the `reason`.
        vectors: `Vectors` `[N, D]`, in the order of `items`.
    """

    @property
    def manifest(self) -> Manifest: ...

    @property
    def items(self) -> pa.Table: ...

    @property
    def left_out(self) -> pa.Table: ...

    @property
    def vectors(self) -> Vectors: ...

    def vectors_of(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the vectors of photographs, `[N, D]`.

        Raises:
            UserError: if one of them is not in the gallery.
        """

    def search(self, query: np.ndarray, k: int, where: Where | None = None) -> Found:
        """Finds the k most similar photographs of each query that fulfill the conditions.

        Args:
            query: float32 `[Q, D]`, unit vectors.
            k: int.
            where: conditions on `items`, see `nfl_keras.gallery.where`. Defaults to `None`.

        Returns:
            `Found`, with exact similarities for 100 neighbors or fewer.

        Raises:
            UserError: if a condition cannot be used.
        """


def not_in_gallery(item: str) -> UserError:
    """Returns the error that says that a gallery has no photograph of an id."""
    return UserError(f"there is no {item!r} in the gallery; give ids as in gallery.items.")
