"""Defines how a gallery's own or other labeled photographs give the threshold of a match."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.gallery.calibrating.calibration import Calibration
from nfl_keras.gallery.calibrating.learn_threshold import learn_threshold
from nfl_keras.gallery.photograph_model import PhotographModel
from nfl_keras.gallery.photographs import Photographs, find_photographs
from nfl_keras.gallery.storage.contents import Contents
from nfl_keras.gallery.where import Where, allowed_by
from nfl_keras.progress import Progress
from nfl_keras.retrieval.nearest import Vectors
from nfl_keras.typing import Path


def calibrate(
    contents: Contents,
    open_model: Callable[[], PhotographModel],
    labeled: Path | ImageSet | None,
    where: Where | None,
    precision: float,
    absent: float,
    confidence: float,
) -> Calibration:
    """Learns the threshold of a gallery, see `Gallery.calibrate`.

    Args:
        contents: `Contents` of the gallery. Its photographs without a label are left out.
        open_model: function that returns the gallery's model.
        labeled: photographs to search for, or `None` for the gallery's own. Those that cannot be
            used are left out. Of the gallery's own folder, a photograph is not searched for itself.
        where: conditions on them, or `None`.
        precision: see `learn_threshold`.
        absent: see `learn_threshold`.
        confidence: see `learn_threshold`.

    Returns:
        A `Calibration`.

    Raises:
        UserError: see `learn_threshold`.
    """
    gallery, of_gallery, gallery_ids = _of_gallery(contents, None)
    if labeled is None:
        query, of_query, query_ids = _of_gallery(contents, where)
        of_same_files = True
    else:
        photographs = find_photographs(labeled)
        query, of_query, query_ids = _of_photographs(photographs, where, open_model())
        of_same_files = photographs.root == contents.manifest.images
    return learn_threshold(
        np.asarray(query[:], np.float32),
        of_query,
        gallery,
        of_gallery,
        query_ids if of_same_files else None,
        gallery_ids if of_same_files else None,
        precision,
        absent,
        confidence,
    )


def _of_gallery(contents: Contents, where: Where | None) -> tuple[Vectors, list[str], list[str]]:
    rows = _with_label(contents.items, where)
    everything = len(rows) == len(contents.items)
    vectors = contents.vectors if everything else contents.vectors[rows]
    return vectors, *_labels_and_ids(contents.items, rows)


def _of_photographs(
    photographs: Photographs, where: Where | None, model: PhotographModel
) -> tuple[np.ndarray, list[str], list[str]]:
    rows = _with_label(photographs.items, where)
    with Progress(len(rows), "photographs embedded") as progress:
        image_set = photographs.image_set(rows, photographs.read)
        vectors, failed = model.embed(image_set, progress)
    usable = np.delete(np.arange(len(rows)), list(failed))
    return vectors[usable], *_labels_and_ids(photographs.items, rows[usable])


def _with_label(items: pa.Table, where: Where | None) -> np.ndarray:
    fit = pc.is_valid(items["label"]).to_numpy()
    if where is not None:
        fit = fit & allowed_by(where, items)
    if not fit.any():
        raise UserError(
            "there is no photograph with a label; index a folder of classes or a table with the "
            "column label, and check the conditions of where."
        )
    return np.flatnonzero(fit)


def _labels_and_ids(items: pa.Table, rows: np.ndarray) -> tuple[list[str], list[str]]:
    return items["label"].take(rows).to_pylist(), items["id"].take(rows).to_pylist()
