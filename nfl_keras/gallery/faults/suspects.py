"""Finds labels that disagree with all nearest photographs."""

import numpy as np

from nfl_keras.errors import UserError
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.suspect import Suspect, Suspects
from nfl_keras.progress import Progress
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.nearest import nearest

_QUERIES = 2**13  # photographs whose neighbors are searched for at once


def suspects(catalog: Catalog, k: int = 5) -> Suspects:
    """Finds labels that disagree with all k nearest photographs, which agree among themselves.

    Photographs of the same content count as one, the first, so that copies do not confirm each
    other's label. A label that only one photograph has is no suspect, nor is one that another
    photograph has which is as near as the last of the k.

    Args:
        catalog: `Catalog` with labels. Photographs without a label are left out.
        k: int, nearest photographs that must agree. Defaults to `5`.

    Returns:
        `Suspects`.

    Raises:
        UserError: if no photograph has a label, or k is below 1.

    Example:

    >>> from nfl_keras.gallery.faults.catalog import Catalog
    >>> from nfl_keras.gallery.faults.suspects import suspects
    >>> angles = np.array([0.0, 0.1, 0.2, 0.3, 1.5, 1.6])
    >>> vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")
    >>> labels = ["iris", "tulip", "iris", "iris", "tulip", "tulip"]
    >>> ids = [f"{number}.jpg" for number in range(6)]
    >>> catalog = Catalog(ids, labels, range(6), vectors, lambda position: b"")
    >>> suspects(catalog, k=2)
    1 of 6 labels differ from the one label of all 2 nearest photographs
    margin  label  suggested  id
    0.8250  tulip  iris       1.jpg
    """
    k = positive_int(k, "k")
    label = _label_numbers(catalog)
    labeled = np.flatnonzero(label >= 0)
    if not labeled.size:
        raise UserError("no photograph of the catalog has a label: suspects are among labels.")
    hashes = np.asarray(catalog.hashes)[labeled]
    index, inverse = np.unique(hashes, return_index=True, return_inverse=True)[1:]
    counted = np.zeros(len(catalog), dtype=bool)
    counted[labeled[index]] = True
    own = labeled[index][inverse]
    # Another content must have the label, too.
    with_label = np.bincount(label[counted], minlength=label.max() + 1)[label[labeled]]
    comparable = with_label > (label[own] == label[labeled])
    labeled, own = labeled[comparable], own[comparable]
    found: list[Suspect] = []
    with Progress(len(labeled), "labels compared with their neighbors'") as progress:
        for start in range(0, len(labeled), _QUERIES):
            part = slice(start, start + _QUERIES)
            found += _suspects_among(labeled[part], own[part], catalog, k, label, counted)
            progress.add(len(labeled[part]))
    found.sort(key=lambda suspect: -suspect.margin)
    return Suspects(len(labeled), k, tuple(found))


def _suspects_among(
    positions: np.ndarray,
    own: np.ndarray,
    catalog: Catalog,
    k: int,
    label: np.ndarray,
    counted: np.ndarray,
) -> list[Suspect]:
    """Finds the suspects among some positions; `own` are the first ones of their contents."""
    query = np.ascontiguousarray(catalog.vectors[positions], dtype=np.float32)
    near, similarities = nearest(query, catalog.vectors, k, own, counted)
    suggested = label[near]
    agree = (near >= 0).all(axis=1) & (suggested == suggested[:, :1]).all(axis=1)
    chosen = np.flatnonzero(agree & (suggested[:, 0] != label[positions]))
    query, positions, own = query[chosen], positions[chosen], own[chosen]
    to_own = np.empty(len(chosen), dtype=np.float32)
    for number in np.unique(label[positions]):
        of_label = np.flatnonzero(label[positions] == number)
        alike = counted & (label == number)
        nearest_alike = nearest(query[of_label], catalog.vectors, 1, own[of_label], alike)
        to_own[of_label] = nearest_alike[1][:, 0]
    near, similarities = near[chosen], similarities[chosen]
    return [
        _suspect(catalog, positions[i], near[i], similarities[i], to_own[i])
        # A tie with the last neighbor is no disagreement: only the order of positions decides it.
        for i in np.flatnonzero(to_own < similarities[:, -1])
    ]


def _suspect(
    catalog: Catalog,
    position: np.int64,
    near: np.ndarray,
    similarities: np.ndarray,
    to_own: np.float32,
) -> Suspect:
    neighbors = [catalog.photograph(neighbor) for neighbor in near.tolist()]
    mean = similarities.mean(dtype=np.float64)
    return Suspect(
        photograph=catalog.photograph(int(position)),
        suggested=str(neighbors[0].label),
        similarity=round(float(mean), 6),
        margin=round(float(mean - to_own), 6),
        neighbors=tuple(zip(neighbors, similarities.round(6).tolist(), strict=True)),
    )


def _label_numbers(catalog: Catalog) -> np.ndarray:
    """Numbers the labels of a catalog, int64 `[N]`, -1 for photographs without one."""
    numbers: dict[str | None, int] = {None: -1}
    labels = (catalog.label(position) for position in range(len(catalog)))
    return np.array([numbers.setdefault(label, len(numbers) - 1) for label in labels])
