"""Defines the gallery that photographs are searched in."""

from collections.abc import Callable, Sequence
from typing import Self

import keras
import numpy as np
import pyarrow as pa

from nfl_keras.data import ImageSet
from nfl_keras.data.sources.file_set import reader
from nfl_keras.errors import UserError
from nfl_keras.files import local_path
from nfl_keras.gallery.build import Changes, build
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.duplicates import Duplicates, duplicates
from nfl_keras.gallery.faults.find_groups import THRESHOLD
from nfl_keras.gallery.faults.leaks import Leaks, leaks, leaks_between_splits
from nfl_keras.gallery.faults.suspects import Suspects, suspects
from nfl_keras.gallery.gallery_folder import Contents, GalleryFolder
from nfl_keras.gallery.matches import Matches
from nfl_keras.gallery.photograph_model import PhotographModel, open_model
from nfl_keras.gallery.photographs import find_photographs
from nfl_keras.gallery.probe import check_same_model
from nfl_keras.gallery.query_vectors import Crop, Query, query_vectors
from nfl_keras.gallery.where import Where, allowed_by
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.nearest import nearest
from nfl_keras.serving.client.client import Client
from nfl_keras.typing import Path

# Columns that tell of files, not of what they show.
_OF_FILES = ("bytes", "modified", "sha256")


class Gallery:
    """Photographs that are embedded once, and searched exactly.

    `Gallery.build` makes one, `Gallery.open` opens it again. A gallery that is open stays as it
    was, whatever another process writes meanwhile.

    Args:
        folder: `GalleryFolder`.
        contents: `Contents`.
        model: `PhotographModel`, or `None` to load the one that the gallery names when a
            photograph is to be embedded.
        changes: `Changes` that `build` made, or `None`.
        images: str or path, where the photographs are. Defaults to `None`: where they were when
            the gallery was built.

    Example:

    >>> gallery = nfl.Gallery.build("photographs", embedder, "gallery")
    >>> gallery
    Gallery(20 photographs, 4 labels, 16 dimensions)
    >>> matches = gallery.search("photographs/ash/0.jpg", k=2, where="label = ash")
    >>> matches[0][0].id
    'ash/0.jpg'
    """

    def __init__(
        self,
        folder: GalleryFolder,
        contents: Contents,
        model: PhotographModel | None = None,
        changes: Changes | None = None,
        images: Path | None = None,
    ) -> None:
        self._folder, self._contents, self._model = folder, contents, model
        self._images = None if images is None else local_path(images)
        self.changes = changes

    @classmethod
    def build(
        cls,
        images: Path | ImageSet,
        model: keras.Model | Client | Path,
        folder: Path,
        crops: int | None = None,
        batch_size: int = 64,
        dtype: str | None = None,
    ) -> Self:
        """Embeds photographs into a gallery, or brings an older one up to date.

        It embeds what is new or changed, and forgets what is gone. Moved and copied files are
        known by their content. A call that was stopped goes on where it was. Photographs that
        cannot be used are in `left_out`, with the reason.

        Args:
            images: str or path of a folder, whose photographs have the label of the folder that
                they lie in; of a table (`.csv`, `.tsv`, `.parquet`) with the column `path`,
                perhaps `label`, and metadata; or an `nfl.data.ImageSet`.
            model: `keras.Model` from images to unit vectors with an `image_size`, such as an
                `nfl.models.Embedder`; `nfl.serving.Client`, or a server's `"HOST:PORT"`; or what
                `nfl.load` loads: a run, an exported model, a preset.
            folder: str or path of the gallery, new or one of the same model.
            crops: 3 or 1, crops of each photograph, see `nfl.retrieval.embed`. Defaults to `None`:
                those of the gallery if there is one, else 3.
            batch_size: int, photographs in a batch. Defaults to `64`.
            dtype: `"float32"` or `"float16"`, of the stored vectors. Defaults to `None`: that of
                the gallery if there is one, else `"float32"`.

        Returns:
            The `Gallery`.

        Raises:
            UserError: if there are no photographs, or none that can be used; if the gallery was
                embedded by another model; or if another process writes to it.
        """
        if dtype not in (None, "float32", "float16"):
            raise UserError(f"dtype must be float32 or float16, not {dtype!r}.")
        kept = GalleryFolder(folder)
        if crops is None:
            begun = kept.begun()
            crops = 3 if begun is None else begun.crops
        photographs = find_photographs(images)
        opened = open_model(model, crops, batch_size)
        changes = build(photographs, opened, kept, dtype)
        return cls(kept, kept.read(), opened, changes)

    @classmethod
    def open(
        cls,
        uri: Path,
        model: keras.Model | Client | Path | None = None,
        images: Path | None = None,
    ) -> Self:
        """Opens a gallery.

        Args:
            uri: str or path of its folder.
            model: see `build`. Defaults to `None`: the model that the gallery names, which is
                loaded when the first photograph is to be embedded.
            images: str or path, where the photographs are now. Defaults to `None`: where they
                were when the gallery was built.

        Returns:
            The `Gallery`.

        Raises:
            UserError: if there is no gallery, or `model` is not the one that embedded it.
        """
        folder = GalleryFolder(uri)
        contents = folder.read()
        opened = None
        if model is not None:
            opened = open_model(model, contents.manifest.crops)
            check_same_model(opened, contents.manifest, str(folder.path))
        return cls(folder, contents, opened, images=images)

    def __len__(self) -> int:
        return len(self._contents.items)

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
        return self._contents.items.drop_columns(list(_OF_FILES))

    @property
    def left_out(self) -> dict[str, str]:
        """Dict from the ids of photographs that cannot be used to the reasons."""
        table = self._contents.left_out
        return dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True))

    def reader(self) -> Callable[[int], bytes]:
        """Returns a function that reads a photograph's file by its row in `items`.

        Raises:
            UserError: if the gallery was built of an image set, and opened without `images`. The
                function raises one if a file is gone.
        """
        root = self._images or self._contents.manifest.images
        if root is None:
            raise UserError("the gallery was not built from files; say where they are by images.")
        return reader(root, self._contents.items["id"].to_numpy())

    def vectors(self, ids: Sequence[str]) -> np.ndarray:
        """Returns the unit vectors of photographs of the gallery, float32 `[N, D]`.

        Raises:
            UserError: if one of them is not in the gallery.
        """
        known = self._contents.items["id"].combine_chunks()
        positions = [known.index(pa.scalar(item, pa.string())).as_py() for item in ids]
        if -1 in positions:
            raise UserError(
                f"there is no {ids[positions.index(-1)]!r} in the gallery; give ids as in "
                f"gallery.items."
            )
        return self._contents.vectors[np.array(positions, np.int64)].astype(np.float32)

    def search(
        self,
        images_or_vectors: Query | Sequence[Query] | np.ndarray | None = None,
        k: int = 10,
        where: Where | None = None,
        positive: Sequence[str] = (),
        negative: Sequence[str] = (),
        threshold: float | None = None,
        crop: Crop | None = None,
    ) -> Matches:
        """Finds the photographs of highest cosine similarity to each query, exactly.

        Args:
            images_or_vectors: a photograph (the path of a file, its bytes, an array
                `[H, W, 3]` in 0..255 or a PIL image), or a sequence of queries. A query is a
                photograph, or a list of photographs of one thing, whose vectors are averaged.
                Or vectors `[D]` or `[Q, D]`. Defaults to `None`: `positive` alone is searched for.
            k: int, answers per query; as many as there are if fewer. Defaults to `10`.
            where: conditions on the metadata, see `nfl_keras.gallery.where`, such as
                `"label = rose"`. Defaults to `None`.
            positive: ids of photographs of the gallery: more like these. Each query becomes the
                mean of itself and of them.
            negative: ids: less like these. Half of their mean is subtracted.
            threshold: float, the least similarity of a match. Defaults to the calibrated one, and
                to none without.
            crop: `(x, y, width, height)` in pixels, the part of each photograph to search for.
                Defaults to `None`: all of it.

        Returns:
            `Matches`. Ties are in the order of ids.

        Raises:
            UserError: if a query cannot be used, an id or a column is not in the gallery, or the
                gallery's model is not found.

        Reference for `positive` and `negative`: J. Rocchio, Relevance feedback in information
        retrieval, 1971.
        """
        k = min(positive_int(k, "k"), len(self))
        unit, names = query_vectors(
            images_or_vectors,
            self._photograph_model,
            self._contents.manifest.dimension,
            self.vectors,
            positive,
            negative,
            crop,
        )
        allowed = None if where is None else allowed_by(where, self.items)
        positions, similarities = nearest(unit, self._contents.vectors, k, allowed=allowed)
        if threshold is None and self._contents.manifest.calibration is not None:
            threshold = self._contents.manifest.calibration["threshold"]
        return Matches(names, positions, similarities, self.items, threshold)

    def duplicates(self, threshold: float = THRESHOLD) -> Duplicates:
        """Finds photographs that the gallery has more than once.

        Args:
            threshold: float, the least cosine similarity of near copies, see
                `nfl_keras.gallery.faults`. Defaults to `0.95`.

        Returns:
            `Duplicates`, groups that print themselves, with `to_json()` and `to_arrow()`.
        """
        return duplicates(self._catalog(), threshold)

    def leaks(self, other: "Gallery | str", threshold: float = THRESHOLD) -> Leaks:
        """Finds photographs that stand in two galleries, or in two splits of this one.

        Args:
            other: `Gallery` of the same model; or str, the column of `items` that says in which
                split each photograph is.
            threshold: float, see `duplicates`. Defaults to `0.95`.

        Returns:
            `Leaks`.

        Raises:
            UserError: if there is no such column.
        """
        if isinstance(other, Gallery):
            names = str(self._folder.path), str(other._folder.path)
            return leaks(self._catalog(), other._catalog(), threshold, names)
        if other not in self.items.column_names:
            raise UserError(
                f"there is no column {other!r}; the columns are "
                f"{', '.join(self.items.column_names)}."
            )
        splits = [str(split) for split in self.items[other].to_pylist()]
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
        has_files = self._images or self._contents.manifest.images
        return Catalog(
            items["id"].to_pylist(),
            items["label"].to_pylist(),
            items["sha256"].to_numpy().astype("S32"),
            self._contents.vectors,
            self.reader() if has_files else lambda row: b"",
        )

    def _photograph_model(self) -> PhotographModel:
        if self._model is None:
            manifest = self._contents.manifest
            self._model = open_model(manifest.model, manifest.crops)
            check_same_model(self._model, manifest, str(self._folder.path))
        return self._model
