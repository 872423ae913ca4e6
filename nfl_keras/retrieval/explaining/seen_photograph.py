"""Defines a photograph as an embedder sees it, and as a person does."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from PIL import Image

from nfl_keras.data.batches.inference_batches import shorter_side
from nfl_keras.data.decoding.checked_bytes import checked_bytes
from nfl_keras.data.decoding.decode import decode, mirrored
from nfl_keras.data.decoding.encoded_bytes import Photograph, named_bytes
from nfl_keras.data.decoding.photograph_error import DAMAGED, PhotographError
from nfl_keras.data.decoding.read_header import read_header
from nfl_keras.data.tensorflow_on_cpu import tf
from nfl_keras.data.views.inference_crops import check_crops, inference_crops

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
    check_crops(crops)
    return [_see(p, number, image_size, crops) for number, p in enumerate(photographs, 1)]


def _see(photograph: Photograph, number: int, image_size: int, crops: int) -> SeenPhotograph:
    name, encoded = named_bytes(photograph, number)
    content, orientation = checked_bytes(encoded, name)
    header = read_header(content)
    extent = header.height, header.width
    try:
        # As `inference_batches` does, whose graph takes longer to trace than a photograph to read.
        with tf.device("CPU"):
            image = decode(content, shorter_side(image_size))
            cut = inference_crops(image, image_size, crops, orientation).numpy()
            pixels = decode(content, _SIDE).numpy()
    except tf.errors.OpError as error:
        raise PhotographError(name, DAMAGED) from error
    if orientation > 4:
        pixels, extent = pixels.swapaxes(0, 1), extent[::-1]
    up, left = (-1 if turned else 1 for turned in mirrored(orientation).numpy())
    picture = Image.fromarray(np.ascontiguousarray(pixels[::up, ::left]))
    picture.thumbnail((_SIDE, _SIDE))
    return SeenPhotograph(cut, extent, picture)
