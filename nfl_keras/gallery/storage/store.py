"""Defines what `build` and `Gallery` ask of the place where a gallery is kept."""

import contextlib
from typing import Protocol, Self

import pyarrow as pa

from nfl_keras.gallery.storage.contents import Contents
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.unfinished import Unfinished
from nfl_keras.retrieval.nearest import Vectors


class Store(Protocol):
    """The place of one gallery.

    Attributes:
        name: str, its path or URI, for messages.
        exists: bool, whether there is a gallery.
    """

    @property
    def name(self) -> str: ...

    @property
    def exists(self) -> bool: ...

    def manifest(self) -> Manifest:
        """Reads the manifest.

        Raises:
            UserError: if there is none, or it is not one of this version.
        """

    def begun(self) -> Manifest | None:
        """Reads the manifest of a gallery that exists or is begun, or returns `None`."""

    def begin(self, manifest: Manifest) -> None:
        """Keeps which model an unfinished gallery is made by. The caller holds `locked`."""

    def unfinished(self, manifest: Manifest) -> Unfinished:
        """Opens what has been embedded but not committed. The caller holds `locked`."""

    def read(self) -> Contents:
        """Opens the gallery as it is now.

        Raises:
            UserError: if it is damaged.
        """

    def locked(self) -> contextlib.AbstractContextManager[Self]:
        """Keeps other processes from writing, and removes what killed ones have left.

        Raises:
            UserError: if another process writes, or the place cannot be written.
        """

    def commit(
        self, manifest: Manifest, items: pa.Table, left_out: pa.Table, vectors: Vectors
    ) -> None:
        """Replaces the gallery. The caller holds `locked`.

        Args:
            manifest: `Manifest`, whose counts and commit are set here.
            items: `pyarrow.Table`, sorted by `id`.
            left_out: `pyarrow.Table`, sorted by `id`.
            vectors: `Vectors`, in the order of `items`.

        Raises:
            UserError: if it cannot be written.
        """

    def write_manifest(self, manifest: Manifest) -> None:
        """Replaces the manifest alone. The caller holds `locked`."""
