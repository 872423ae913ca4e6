"""The comparison of an exported model with the Keras model, on photographs drawn for it."""

import io
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from nfl_keras.data import ImageSet, inference_batches
from nfl_keras.data.sources.blooms import blooms
from nfl_keras.errors import UserError
from nfl_keras.retrieval import embed
from nfl_keras.servable.signature_names import CROPS, EMBED_TENSOR
from nfl_keras.servable.status import MESSAGES, OK

TOLERANCE = 1e-4

# Heights and widths of samples in units of the side that the model sees, and their formats.
_HEIGHTS = 1.0, 1.0, 1.6, 2.5, 0.6, 1.0
_WIDTHS = 1.0, 1.5, 1.2, 3.5, 0.5, 2.2
_FORMATS = "JPEG", "JPEG", "PNG", "JPEG", "PNG", "WEBP"


def sample_photographs(image_size: int) -> list[bytes]:
    """Draws and encodes six flowers of several shapes, for a model of this image size."""
    flowers = blooms(num_species=len(_FORMATS), images_per_species=1)
    photographs = []
    shapes = zip(_HEIGHTS, _WIDTHS, _FORMATS, strict=True)
    for position, (height, width, file_format) in enumerate(shapes):
        size = max(round(width * image_size), 1), max(round(height * image_size), 1)
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(flowers.read(position))) as flower:
            flower.resize(size, Image.Resampling.BICUBIC).save(buffer, file_format)
        photographs.append(buffer.getvalue())
    return photographs


def as_image_set(photographs: Sequence[bytes]) -> ImageSet:
    """Wraps encoded images as an `nfl.data.ImageSet` of one class."""
    names = [f"sample {number}" for number in range(len(photographs))]
    labels = np.zeros(len(photographs), np.int32)
    return ImageSet(names, labels, ["samples"], photographs.__getitem__)


def center_crops(photographs: Sequence[bytes], image_size: int) -> np.ndarray:
    """Decodes the central squares of photographs, float32 `[N, S, S, 3]` in 0..255."""
    (batch,) = inference_batches(as_image_set(photographs), image_size, 1, len(photographs))
    return batch.numpy()[:, 0]


def largest_difference(
    loaded: Any,
    embedder: keras.Model,
    image_size: int,
    photographs: Sequence[bytes],
    tolerance: float = TOLERANCE,
) -> float:
    """Computes the largest absolute difference of the embeddings of each signature.

    They are compared with `nfl.retrieval.embed`, which decodes and crops independently.

    Raises:
        UserError: if a photograph cannot be embedded, or the difference is above the
            `tolerance`.
    """
    image_set = as_image_set(photographs)
    differences = []
    for name, crops in CROPS.items():
        answer = loaded.signatures[name](images=tf.constant(photographs))
        for number, status in enumerate(answer["status"].numpy()):
            if status != OK:
                raise UserError(
                    f"the exported model cannot embed sample photograph {number}: "
                    f"{MESSAGES[status]}; it is not kept. Give other photographs to compare on, "
                    f"or export a model whose weights are finite."
                )
        expected = embed(embedder, image_set, crops, image_size=image_size)
        differences.append(answer["embedding"].numpy() - expected)
    squares = center_crops(photographs, image_size)
    answer = loaded.signatures[EMBED_TENSOR](pixels=tf.constant(squares))
    differences.append(answer["embedding"].numpy() - expected)
    largest = float(np.abs(np.concatenate(differences)).max())
    if not largest <= tolerance:
        raise UserError(
            f"the exported model gives other embeddings than the Keras model: on "
            f"{len(photographs)} photographs they differ by up to {largest:.1e}, more than "
            f"{tolerance:.0e}; it is not kept. Export a model whose weights are finite."
        )
    return largest
