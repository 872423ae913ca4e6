"""Defines the methods of a gallery that find its faults."""

from collections.abc import Callable
from typing import Self

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.duplicates import Duplicates, duplicates
from nfl_keras.gallery.faults.find_groups import THRESHOLD
from nfl_keras.gallery.faults.leaks import Leaks, leaks, leaks_between_splits
from nfl_keras.gallery.faults.suspects import Suspects, suspects
from nfl_keras.gallery.storage.contents import Contents


class GalleryFaults:
    """Methods that find duplicates, leaks and suspect labels.

    Args:
        name: str, what the gallery is called.
        contents: `Contents`.
        read: function from an id to the bytes of that photograph.
    """

    def __init__(self, name: str, contents: Contents, read: Callable[[str], bytes]) -> None:
        self._name, self._contents, self._read = name, contents, read

    def duplicates(self, threshold: float = THRESHOLD) -> Duplicates:
        """Finds photographs that the gallery has more than once.

        Args:
            threshold: float, the least cosine similarity of near copies. A trained embedder needs
                a higher one. Defaults to `0.95`.

        Returns:
            `Duplicates`, groups that print themselves, with `to_json()` and `to_arrow()`.
        """
        return duplicates(self._catalog(), threshold)

    def leaks(self, other: "Self | str", threshold: float = THRESHOLD) -> Leaks:
        """Finds photographs that stand in two galleries, or in two splits of this one.

        Args:
            other: another gallery of the same model; or str, the column of `items` that says in
                which split each photograph is.
            threshold: float, see `duplicates`. Defaults to `0.95`.

        Returns:
            `Leaks`.

        Raises:
            UserError: if there is no such column.
        """
        if not isinstance(other, str):
            names = self._name, other._name
            return leaks(self._catalog(), other._catalog(), threshold, names)
        items = self._contents.items
        if other not in items.column_names:
            raise UserError(
                f"there is no column {other!r}; the columns are {', '.join(items.column_names)}."
            )
        splits = [str(split) for split in items[other].to_pylist()]
        return leaks_between_splits(self._catalog(), splits, threshold)

    def suspects(self, k: int = 5) -> Suspects:
        """Finds labels that disagree with all k nearest photographs, which agree.

        Args:
            k: int. Defaults to `5`.

        Returns:
            `Suspects`.

        Raises:
            UserError: if no photograph has a label.
        """
        return suspects(self._catalog(), k)

    def _catalog(self) -> Catalog:
        items = self._contents.items
        ids = items["id"].to_pylist()
        return Catalog(
            ids,
            items["label"].to_pylist(),
            items["sha256"].to_numpy().astype("S32"),
            self._contents.vectors,
            lambda position: self._read(ids[position]),
        )
