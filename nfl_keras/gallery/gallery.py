"""Defines the gallery that photographs are searched in."""

import dataclasses
from collections.abc import Sequence
from typing import Self

import keras
import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.gallery.build import Changes, build
from nfl_keras.gallery.calibrating.calibrate import calibrate
from nfl_keras.gallery.calibrating.calibration import Calibration
from nfl_keras.gallery.matches import Matches
from nfl_keras.gallery.open_gallery import OpenGallery, shown
from nfl_keras.gallery.photograph_model import PhotographModel, open_model
from nfl_keras.gallery.photographs import find_photographs
from nfl_keras.gallery.probe import check_same_model
from nfl_keras.gallery.query_vectors import Crop, Query, query_vectors
from nfl_keras.gallery.search_contents import search_contents
from nfl_keras.gallery.shards.open_shards import open_shards
from nfl_keras.gallery.storage.contents import Contents
from nfl_keras.gallery.storage.open_store import open_store
from nfl_keras.gallery.storage.store import Store
from nfl_keras.gallery.vector_source import ModelSource
from nfl_keras.gallery.where import Where
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.reranking.rerank import Rerank
from nfl_keras.serving.client.client import Client
from nfl_keras.typing import Path


class Gallery(OpenGallery):
    """Photographs that are embedded once, and searched exactly.

    `Gallery.build` makes one, `Gallery.open` opens it again. A gallery that is open stays as it
    was, whatever another process writes meanwhile.

    Args:
        store: `Store`.
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
        store: Store,
        contents: Contents,
        model: PhotographModel | None = None,
        changes: Changes | None = None,
        images: Path | None = None,
    ) -> None:
        super().__init__(store, contents, model, images)
        kept = contents.manifest.calibration
        self._calibration = None if kept is None else Calibration.from_dict(kept)
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
            folder: str or path of the gallery, new or one of the same model; or a URI of Milvus,
                such as `"milvus://HOST:19530/COLLECTION"`, see `docs/search.md`.
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
        store = open_store(folder)
        if crops is None:
            begun = store.begun()
            crops = 3 if begun is None else begun.crops
        photographs = find_photographs(images)
        opened = open_model(model, crops, batch_size)
        changes = build(photographs, ModelSource(opened), store, dtype)
        return cls(store, store.read(), opened, changes)

    @classmethod
    def from_embeddings(cls, embeddings: Path, folder: Path, dtype: str | None = None) -> Self:
        """Makes the gallery that `build` would make of photographs that are embedded already.

        Args:
            embeddings: str or path of the folder that `nfl-keras embed` wrote.
            folder: see `build`.
            dtype: see `build`. Defaults to `None`.

        Returns:
            The `Gallery`.

        Raises:
            UserError: if shards are missing, damaged or of several models, if an id stands in two
                that do not agree, or as `build` raises it.
        """
        store = open_store(folder)
        changes = build(*open_shards(embeddings), store, dtype)
        return cls(store, store.read(), changes=changes)

    @classmethod
    def open(
        cls,
        uri: Path,
        model: keras.Model | Client | Path | None = None,
        images: Path | None = None,
    ) -> Self:
        """Opens a gallery.

        Args:
            uri: str or path of its folder, or a URI of Milvus.
            model: see `build`. Defaults to `None`: the model that the gallery names, which is
                loaded when the first photograph is to be embedded.
            images: str or path, where the photographs are now. Defaults to `None`: where they
                were when the gallery was built.

        Returns:
            The `Gallery`.

        Raises:
            UserError: if there is no gallery, or `model` is not the one that embedded it.
        """
        store = open_store(uri)
        contents = store.read()
        opened = None
        if model is not None:
            opened = open_model(model, contents.manifest.crops)
            check_same_model(opened, contents.manifest, store.name)
        return cls(store, contents, opened, images=images)

    def search(
        self,
        images_or_vectors: Query | Sequence[Query] | np.ndarray | None = None,
        k: int = 10,
        where: Where | None = None,
        positive: Sequence[str] = (),
        negative: Sequence[str] = (),
        threshold: float | None = None,
        crop: Crop | None = None,
        rerank: Rerank | str | None = None,
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
            rerank: `nfl.retrieval.KReciprocal`, `nfl.retrieval.AlphaQueryExpansion`, or the text of
                one, see `nfl_keras.retrieval.reranking.parse_rerank`. The answers are then in its
                order. It uses the photographs that fulfill `where`, and no other query. Defaults
                to `None`.

        Returns:
            `Matches`. Ties are in the order of ids. The search compares each query with all
            photographs. Up to 100 answers are then in the order of their exact similarities; of
            more, similarities are float32 sums, and two that differ in the last digits may stand
            in either order. Re-ranked answers keep their cosine similarities to the query, with
            which `threshold` is compared.

        Raises:
            UserError: if a query cannot be used, an id or a column is not in the gallery, or the
                gallery's model is not found.

        Reference for `positive` and `negative`: J. Rocchio, Relevance feedback in information
        retrieval, 1971.
        """
        k = min(positive_int(k, "k"), len(self))
        unit, names = query_vectors(
            images_or_vectors,
            self.photograph_model,
            self._contents.manifest.dimension,
            self.vectors,
            positive,
            negative,
            crop,
        )
        found = search_contents(self._contents, unit, k, where, rerank)
        if threshold is None and self._calibration is not None:
            threshold = self._calibration.threshold
        return Matches(names, found.positions, found.similarities, shown(found.items), threshold)

    def calibrate(
        self,
        labeled: Path | ImageSet | None = None,
        precision: float = 0.95,
        absent: float = 0.5,
        confidence: float = 0.95,
        where: Where | None = None,
    ) -> Calibration:
        """Learns the similarity from which an answer is a match, and keeps it with the gallery.

        `search` then says of each answer whether it is a match. Calibrate on classes that the
        model was not trained on, and again when the gallery has grown; see
        `nfl_keras.gallery.calibrating.learn_threshold`.

        Args:
            labeled: photographs with labels to search for, as `images` of `build`. Defaults to
                `None`: those of the gallery, each among the others.
            precision: float, the share of right answers among the matches that is asked for.
                Defaults to `0.95`.
            absent: float, the share of queries whose class is not in the gallery. Defaults to
                `0.5`.
            confidence: float, with which the precision holds for other classes. Defaults to
                `0.95`.
            where: conditions on the labeled photographs, see `search`. Defaults to `None`.

        Returns:
            A `Calibration`, which prints itself.

        Raises:
            UserError: if there are too few labeled photographs, the precision is never reached, or
                another process writes to the gallery.
        """
        learned = calibrate(
            self._contents, self.photograph_model, labeled, where, precision, absent, confidence
        )
        with self._store.locked():
            manifest = dataclasses.replace(
                self._store.manifest(), calibration=dataclasses.asdict(learned)
            )
            self._store.write_manifest(manifest)
        self._calibration = learned
        return learned
