"""Defines what a gallery that is open holds, and how its photographs and its model are reached."""

import functools
import os
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from nfl_keras.data.sources.file_set import read_below
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.gallery.faults.gallery_faults import GalleryFaults
from nfl_keras.gallery.photograph_model import PhotographModel, is_remote, open_model
from nfl_keras.gallery.probe import check_same_model
from nfl_keras.gallery.storage.contents import Contents
from nfl_keras.gallery.storage.store import Store
from nfl_keras.typing import Path

# Columns that tell of files, not of what they show.
_OF_FILES = ("bytes", "modified", "sha256")


class OpenGallery(GalleryFaults):
    """The photographs of a gallery, their vectors, and the model that embedded them.

    Args:
        store: `Store`.
        contents: `Contents`.
        model: `PhotographModel`, or `None` to load the one that the gallery names when a
            photograph is to be embedded.
        images: str or path, where the photographs are. Defaults to `None`: where they were when
            the gallery was built.
    """

    def __init__(
        self,
        store: Store,
        contents: Contents,
        model: PhotographModel | None = None,
        images: Path | None = None,
    ) -> None:
        root = contents.manifest.images if images is None else local_path(images)
        read = _no_file if root is None else functools.partial(read_below, os.path.realpath(root))
        super().__init__(store.name, contents, read)
        self._store, self._model = store, model

    def __len__(self) -> int:
        return self._contents.manifest.count

    def __repr__(self) -> str:
        labels = self.items["label"].drop_null().unique()
        of = f"{len(labels):,} labels, " if len(labels) else ""
        return (
            f"Gallery({len(self):,} photographs, {of}{self._contents.manifest.dimension} "
            f"dimensions)"
        )

    @property
    def items(self) -> pa.Table:
        """`pyarrow.Table`, sorted by `id`: id, label and metadata of each photograph."""
        return shown(self._contents.items)

    @property
    def left_out(self) -> dict[str, str]:
        """Dict from the ids of photographs that cannot be used to the reasons."""
        table = self._contents.left_out
        return dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True))

    def read(self, photograph: int | str) -> bytes:
        """Reads the file of a photograph.

        Args:
            photograph: str, its id; or int, its row in `items`.

        Raises:
            UserError: if it is gone, or the gallery was built of an image set and opened without
                `images`.
        """
        if isinstance(photograph, str):
            return self._read(photograph)
        return self._read(self._contents.items["id"][photograph].as_py())

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the unit vectors of photographs of the gallery, float32 `[N, D]`.

        Raises:
            UserError: if one of them is not in the gallery.
        """
        return self._contents.vectors_of(ids).astype(np.float32)

    def photograph_model(self) -> PhotographModel:
        """Returns what embeds photographs for this gallery, and loads it at the first call.

        Raises:
            UserError: if it is not found, does not embed as the gallery's vectors were embedded,
                or is a server on another machine that only the gallery names.
        """
        if self._model is None:
            manifest = self._contents.manifest
            if is_remote(manifest.model):
                raise UserError(
                    f"the gallery {self._store.name!r} was embedded by the server "
                    f"{manifest.model}; give it as the model, if it may get your photographs."
                )
            self._model = open_model(manifest.model, manifest.crops)
            check_same_model(self._model, manifest, self._store.name)
        return self._model


def shown(items: pa.Table) -> pa.Table:
    """Returns items without the columns that tell of their files."""
    return items.drop_columns(list(_OF_FILES))


def _no_file(name: str) -> bytes:
    raise UserError("the gallery was not built from files; say where they are by images.")
