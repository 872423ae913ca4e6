"""Explains why two photographs are similar."""

from typing import Any, overload

import keras
import numpy as np
from keras import ops

from nfl_keras.data.decoding.encoded_bytes import Photograph
from nfl_keras.errors import UserError, explain_out_of_memory
from nfl_keras.layers import Pooling
from nfl_keras.models import Embedder
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.explaining.activation_gradients import activation_gradients
from nfl_keras.retrieval.explaining.crop_overlaps import crop_overlaps
from nfl_keras.retrieval.explaining.explanation import Explanation
from nfl_keras.retrieval.explaining.place_offset import place_offset
from nfl_keras.retrieval.explaining.region_parts import ADDITIVE, region_parts
from nfl_keras.retrieval.explaining.seen_photograph import SeenPhotograph, see_photographs
from nfl_keras.retrieval.explaining.strongest_links import strongest_links


@overload
def explain(
    embedder: keras.Model, a: Photograph, b: list[Photograph], crops: int = 3, links: int = 5
) -> list[Explanation]: ...
@overload
def explain(
    embedder: keras.Model, a: Photograph, b: Photograph, crops: int = 3, links: int = 5
) -> Explanation: ...
def explain(
    embedder: keras.Model, a: Photograph, b: Any, crops: int = 3, links: int = 5
) -> Explanation | list[Explanation]:
    """Explains why two photographs are similar: where on each, and region by region.

    With mean pooling, the cosine similarity is the sum over all pairs of a region of one
    photograph and a region of the other, `sum_ij <p_i, q_j>`, where `p_i` is what region i adds to
    the embedding. A bias is divided evenly among the regions. A region of a crop is brought back
    to the photograph by the area that it covers there.

    With max and GeM pooling, and with the class token or a backbone that pools inside, the maps
    are by gradients: an approximation, as `Explanation.is_exact` and `method` say.

    A region is a place of the backbone's last feature maps. What the network makes of it may
    depend on more of the photograph than the region shows. It lies where the network looks, see
    `place_offset`.

    Args:
        embedder: `nfl.models.Embedder`.
        a: path of a photograph, its bytes, an array `[H, W, 3]` in 0..255, or a PIL image.
        b: another, or a list of others, each explained with `a`.
        crops: 3 or 1, crops of each photograph, see `nfl.retrieval.embed`. Defaults to `3`.
        links: int, the most pairs of regions that are named. Defaults to `5`.

    Returns:
        An `Explanation`, or of a list of photographs a list.

    Raises:
        UserError: if the model is no `Embedder`, a photograph cannot be used, nothing within the
            backbone has places, or there is not enough memory.

    Example:

    >>> found = nfl.retrieval.explain(embedder, "photographs/ash/0.jpg", "photographs/ash/1.jpg")
    >>> found.is_exact, len(found.links)
    (True, 1)
    >>> bool(abs(found.maps[0].sum() - found.similarity) < 1e-9)
    True
    >>> query, answer = found.draw()

    Reference: A. Stylianou, R. Souvenir, R. Pless, Visualizing deep similarity networks, WACV 2019.
    """
    if not isinstance(embedder, Embedder):
        raise UserError(
            f"only an nfl.models.Embedder can be explained, not a {type(embedder).__name__}, which "
            f"gives vectors alone; load the run or the .keras file that holds the embedder."
        )
    positive_int(links, "links")
    several = isinstance(b, list)
    photographs = [a, *b] if several else [a, b]
    first, *others = see_photographs(photographs, embedder.image_size, crops)
    pool = embedder.get_layer("features")
    has_regions = isinstance(pool, Pooling) and pool.method in ADDITIVE
    with explain_out_of_memory(
        "the regions of a photograph",
        f"lower crops (now {crops}), or take an embedder of a smaller image_size "
        f"(now {embedder.image_size})",
    ):
        if has_regions:
            explained = _by_regions(embedder, first, others, links, pool.method)
        else:
            explained = _by_gradients(embedder, first, others)
    return explained if several else explained[0]


def _by_regions(
    embedder: Embedder,
    first: SeenPhotograph,
    others: list[SeenPhotograph],
    count: int,
    pooling: str,
) -> list[Explanation]:
    grid, embedding = _cell_parts(embedder, first)
    explained = []
    for other in others:
        other_grid, other_embedding = _cell_parts(embedder, other)
        pairs = np.tensordot(grid, other_grid, axes=(-1, -1))
        extents = first.extent, other.extent
        explained.append(
            Explanation(
                similarity=float(embedding @ other_embedding),
                maps=(pairs.sum(axis=(2, 3)), pairs.sum(axis=(0, 1))),
                links=strongest_links(pairs, extents, count),
                is_exact=pooling == "mean",
                method="regions" + (", by the gradient of pooling" if pooling != "mean" else ""),
                pictures=(first.picture, other.picture),
                extents=extents,
            )
        )
    return explained


def _cell_parts(embedder: Embedder, seen: SeenPhotograph) -> tuple[np.ndarray, np.ndarray]:
    """Returns what each cell of a photograph adds, float64 `[H, W, D]`, and the sum `[D]`."""
    parts, embedding = region_parts(embedder, seen.crops)
    return _on_photograph(parts, seen, place_offset(embedder)), embedding


def _by_gradients(
    embedder: Embedder, first: SeenPhotograph, others: list[SeenPhotograph]
) -> list[Explanation]:
    embedding = _embedding(embedder, first)
    explained = []
    for other in others:
        other_embedding = _embedding(embedder, other)
        of_first = activation_gradients(embedder, first.crops, other_embedding)
        of_other = activation_gradients(embedder, other.crops, embedding)
        explained.append(
            Explanation(
                similarity=float(embedding @ other_embedding),
                maps=(_on_photograph(of_first, first), _on_photograph(of_other, other)),
                links=(),
                is_exact=False,
                method="gradient",
                pictures=(first.picture, other.picture),
                extents=(first.extent, other.extent),
            )
        )
    return explained


def _embedding(embedder: Embedder, seen: SeenPhotograph) -> np.ndarray:
    units = ops.convert_to_numpy(embedder(ops.convert_to_tensor(seen.crops), training=False))
    mean = units.astype(np.float64).mean(axis=0)
    return mean / np.linalg.norm(mean)


def _on_photograph(of_crops: np.ndarray, seen: SeenPhotograph, offset: float = 0.0) -> np.ndarray:
    """Brings `[crops, R, R, ...]` to the grid of the photograph, `[H, W, ...]`."""
    crops, size = seen.crops.shape[:2]
    rows, columns = crop_overlaps(seen.extent, size, crops, of_crops.shape[1], offset)
    return np.einsum("cyi,cxj,cyx...->ij...", rows, columns, of_crops, optimize=True)
