"""Defines how queries become unit vectors: photographs, vectors, or several of one thing."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from nfl_keras.data import ImageSet
from nfl_keras.data.decoding.encoded_bytes import (
    Photograph,
    encoded_bytes,
    named_bytes,
    one_or_many,
)
from nfl_keras.data.decoding.photograph_error import PhotographError
from nfl_keras.data.decoding.upright_pixels import upright_pixels
from nfl_keras.errors import UserError
from nfl_keras.gallery.photograph_model import PhotographModel

# A photograph, or several of one thing.
Query: TypeAlias = Photograph | Sequence[Photograph]
Crop: TypeAlias = tuple[int, int, int, int]

# How much of the mean of negatives is subtracted.
_NEGATIVE = 0.5


def query_vectors(
    given: Any,
    open_model: Callable[[], PhotographModel],
    dimension: int,
    vectors: Callable[[Sequence[str]], np.ndarray],
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    crop: Crop | None = None,
) -> tuple[np.ndarray, list[str]]:
    """Makes the unit vectors to search with, and a name for each.

    Args:
        given: queries, see `Gallery.search`.
        open_model: function that returns the gallery's model.
        dimension: int, D of the gallery.
        vectors: function from ids to the vectors of these photographs.
        positive: ids. Each query becomes the mean of itself and of them.
        negative: ids. Half of their mean is subtracted.
        crop: see `embed_queries`. Defaults to `None`.

    Returns:
        `(vectors, names)`: float32 `[Q, D]` and a list of str.

    Raises:
        UserError: if a query cannot be used, or there is none.
    """
    more = vectors(positive)
    if given is None:
        if not len(positive):
            raise UserError("there is nothing to search for; give photographs, or positive.")
        query, names = more.mean(axis=0, keepdims=True), [" + ".join(positive)]
    elif isinstance(given, np.ndarray) and given.ndim in (1, 2):
        query = unit_queries(given, dimension)
        names = [f"#{number}" for number in range(1, len(query) + 1)]
    else:
        query, names = embed_queries(list(one_or_many(given)[0]), open_model, crop)
    if given is not None:
        query = (query + more.sum(axis=0)) / (1 + len(more))
    if len(negative):
        query = query - _NEGATIVE * vectors(negative).mean(axis=0)
    return unit_queries(query, dimension), names


def unit_queries(vectors: np.ndarray, dimension: int) -> np.ndarray:
    """Returns vectors `[D]` or `[Q, D]` divided by their norms, as float32 `[Q, D]`.

    Raises:
        UserError: if they are not D finite floats each, or are zero.
    """
    vectors = np.atleast_2d(np.asarray(vectors, np.float64))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if vectors.shape[1] != dimension or not (np.isfinite(norms) & (norms > 0)).all():
        raise UserError(
            f"vectors to search with must be finite and not zero, of shape [Q, {dimension}], not "
            f"{list(vectors.shape)}."
        )
    return (vectors / norms).astype(np.float32)


def embed_queries(
    queries: Sequence[Query], open_model: Callable[[], PhotographModel], crop: Crop | None = None
) -> tuple[np.ndarray, list[str]]:
    """Embeds queries, each a photograph or several whose vectors are averaged.

    Args:
        queries: sequence of `Query`.
        open_model: function that returns the gallery's model.
        crop: `(x, y, width, height)` in pixels of the upright photograph, the part of each query
            to search for. Defaults to `None`: all of it.

    Returns:
        `(vectors, names)`: float32 `[Q, D]`, unit vectors, and a str for each query.

    Raises:
        UserError: if a photograph cannot be used. The message names it.
    """
    several = [list(q) if isinstance(q, (list, tuple)) else [q] for q in queries]
    if not several or not all(several):
        raise UserError("there is no query; give at least one photograph.")
    flat: list[Any] = [photograph for group in several for photograph in group]
    encoded = [query_bytes(photograph, number, crop) for number, photograph in enumerate(flat, 1)]
    names, contents = map(list, zip(*encoded, strict=True))
    ids = [f"{number} {name}" for number, name in enumerate(names)]
    image_set = ImageSet(ids, np.zeros(len(ids), int), ["all"], contents.__getitem__)
    vectors, failed = open_model().embed(image_set)
    for position, reason in failed.items():
        raise PhotographError(names[position], reason)
    means, joined = [], []
    for group in several:
        of_group, vectors = vectors[: len(group)], vectors[len(group) :]
        mean = of_group.mean(axis=0, dtype=np.float64)
        means.append(mean / np.linalg.norm(mean))
        joined.append(" + ".join(names[: len(group)]))
        names = names[len(group) :]
    return np.asarray(means, np.float32), joined


def query_bytes(
    photograph: Photograph, number: int = 1, crop: Crop | None = None
) -> tuple[str, bytes]:
    """Encodes what is searched for of one photograph, and names it.

    Args:
        photograph: `Photograph`.
        number: int, its name if it has no path. Defaults to `1`.
        crop: see `embed_queries`. Defaults to `None`.

    Returns:
        `(name, content)`, str and bytes.

    Raises:
        UserError: if the photograph cannot be used, or does not contain the crop.
    """
    name, content = named_bytes(photograph, number)
    return name, content if crop is None else _cropped(content, name, crop)


def _cropped(content: bytes, name: str, crop: Crop) -> bytes:
    x, y, width, height = crop
    pixels = upright_pixels(content, name)
    inside = x >= 0 and y >= 0 and x + width <= pixels.shape[1] and y + height <= pixels.shape[0]
    if not (inside and width > 0 and height > 0):
        raise UserError(
            f"the crop {x},{y},{width},{height} is not within {name!r}, which has "
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels."
        )
    return encoded_bytes(pixels[y : y + height, x : x + width])
