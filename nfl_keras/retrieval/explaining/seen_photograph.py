"""Defines a photograph as an embedder sees it, and as a person does."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image

from nfl_keras.data import ImageSet, inference_batches
from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode, mirrored
from nfl_keras.data.decoding.encoded_bytes import Photograph, named_bytes
from nfl_keras.data.decoding.explain_photograph_errors import explain_photograph_errors
from nfl_keras.data.decoding.read_header import read_header

_SIDE = 512  # pixels of the longer side of a picture


@dataclasses.dataclass(frozen=True, eq=False)
class SeenPhotograph:
    """A photograph as an embedder sees it, and as a person does.

    Args:
        crops: float32 `[crops, S, S, 3]` in 0..255, what `nfl.retrieval.embed` embeds.
        extent: (int, int), height and width of the upright photograph in pixels.
        picture: `PIL.Image.Image`, the upright photograph, of at most 512 pixels a side.
    """

    crops: np.ndarray
    extent: tuple[int, int]
    picture: Image.Image


def see_photographs(
    photographs: Sequence[Photograph], image_size: int, crops: int
) -> list[SeenPhotograph]:
    """Reads photographs.

    Args:
        photographs: sequence of paths, bytes, arrays `[H, W, 3]` in 0..255, or PIL images.
        image_size: int, side of the crops in pixels.
        crops: 1 or 3, see `nfl.retrieval.embed`.

    Returns:
        List of `SeenPhotograph`.

    Raises:
        UserError: if a photograph cannot be used, or for another number of crops.

    Example:

    >>> from nfl_keras.retrieval.explaining.seen_photograph import see_photographs
    >>> [seen] = see_photographs(["photographs/ash/0.jpg"], image_size=32, crops=3)
    >>> seen.crops.shape, seen.extent
    ((3, 32, 32, 3), (40, 48))
    """
    named = [named_bytes(photograph, number) for number, photograph in enumerate(photographs, 1)]
    ids = [f"{number} {name}" for number, (name, _) in enumerate(named, 1)]
    contents = [content for _, content in named]
    image_set = ImageSet(ids, np.zeros(len(ids), int), ["all"], contents.__getitem__)
    batches = inference_batches(image_set, image_size, crops, batch_size=1)
    with explain_photograph_errors(image_set):
        cut = [batch.numpy()[0] for batch in batches]
    return [SeenPhotograph(c, *_picture(content)) for c, content in zip(cut, contents, strict=True)]


def _picture(content: bytes) -> tuple[tuple[int, int], Image.Image]:
    content, orientation = checked_bytes(content, "")
    header = read_header(content)
    pixels = decode(content, _SIDE).numpy()
    extent = header.height, header.width
    if orientation > 4:
        pixels, extent = pixels.swapaxes(0, 1), extent[::-1]
    up, left = (-1 if turned else 1 for turned in mirrored(orientation).numpy())
    picture = Image.fromarray(np.ascontiguousarray(pixels[::up, ::left]))
    picture.thumbnail((_SIDE, _SIDE))
    return extent, picture
