"""Defines how a gallery knows the model that it was embedded by: by its answers."""

import functools
import io

import numpy as np
from PIL import Image

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.gallery.photograph_model import PhotographModel
from nfl_keras.gallery.storage.manifest import Manifest

_COUNT = 2
# An export or another machine moves an embedding by 1e-7 of cosine similarity, one more epoch of
# training by about 1e-2.
_TOLERANCE = 1e-3


def fingerprint(model: PhotographModel) -> np.ndarray:
    """Embeds the same two pictures whatever the model is.

    A run, its export and a server that serves it have the same fingerprint. Models of other
    weights, crops or preprocessing have others.

    Args:
        model: `PhotographModel`.

    Returns:
        float32 `[2, D]`, unit vectors.

    Raises:
        UserError: if the model cannot embed them.
    """
    pictures = _pictures()
    ids = [f"picture {number}" for number in range(_COUNT)]
    image_set = ImageSet(ids, np.zeros(_COUNT, int), ["all"], pictures.__getitem__)
    vectors, failed = model.embed(image_set)
    if failed:
        raise UserError(
            f"the model {model.name!r} cannot embed a plain picture ({failed[min(failed)]}); "
            f"check its weights and its pixels."
        )
    return vectors


def check_same_model(model: PhotographModel, manifest: Manifest, gallery: str) -> None:
    """Checks that a model embeds as the one of a gallery, see `check_fingerprint`."""
    check_fingerprint(fingerprint(model), model.name, model.crops, manifest, gallery)


def check_fingerprint(
    found: np.ndarray, name: str, crops: int, manifest: Manifest, gallery: str
) -> None:
    """Checks that a fingerprint is that of a gallery's model.

    Args:
        found: `[2, D]`, see `fingerprint`.
        name: str, the name of its model, for messages.
        crops: int, crops of each photograph, for messages.
        manifest: `Manifest` of the gallery.
        gallery: str, its name, for messages.

    Raises:
        UserError: if the fingerprints differ.
    """
    expected = np.array(manifest.fingerprint)
    if found.shape == expected.shape:
        least = float((found * expected).sum(axis=1).min())
        if least > 1 - _TOLERANCE:
            return
        how = f"the same pictures otherwise (cosine similarity {least:.3f})"
    else:
        how = f"in {found.shape[1]} dimensions, not {expected.shape[1]}"
    raise UserError(
        f"the gallery {gallery!r} was embedded by {manifest.model!r} with {manifest.crops} crops, "
        f"and {name!r} with {crops} embeds {how}; give the same model and crops, or another "
        f"gallery."
    )


@functools.cache
def _pictures() -> list[bytes]:
    """Draws pictures of smooth colors with some grain, as PNG."""
    encoded = []
    for seed in range(_COUNT):
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (6, 9, 3)).astype(np.float64)
        pixels = coarse.repeat(32, axis=0).repeat(32, axis=1)
        for axis in (0, 1):  # A running mean makes the squares smooth.
            pixels = np.mean([np.roll(pixels, shift, axis) for shift in range(-16, 16)], axis=0)
        pixels += rng.integers(-12, 13, pixels.shape)
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "PNG")
        encoded.append(file.getvalue())
    return encoded
