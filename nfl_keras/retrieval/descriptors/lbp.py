"""Defines histograms of local binary patterns."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.import_scikit_image import import_scikit_image
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows

NEIGHBORS = 8
PATTERNS = NEIGHBORS * (NEIGHBORS - 1) + 3


def lbp(images: ArrayLike, cells: int = 4) -> np.ndarray:
    """Computes histograms of the uniform local binary patterns (LBP) of images in gray.

    The pattern of a pixel says which of 8 neighbors at distance 1 are at least as bright. Each of
    the 58 patterns with at most two changes around the circle has a bin, and all others share one.
    Neighbors outside of the image are black.

    Args:
        images: `[B, H, W, 3]`, RGB in 0..255.
        cells: int, an image is divided into `cells x cells` parts of equal size, whose histograms
            stand side by side. Defaults to `4`.

    Returns:
        float32 `[B, 59 cells^2]`, unit vectors.

    Raises:
        UserError: if `images` have another shape, `cells` is below 1, or scikit-image (extra
            `descriptors`) is missing.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3))
    >>> nfl.retrieval.descriptors.lbp(images, cells=2).shape
    (2, 236)

    Reference: T. Ahonen, A. Hadid, M. Pietikainen, Face description with local binary patterns,
    IEEE TPAMI 28(12), 2006, with the operator LBP(8, 1)^u2.
    """
    images = checked_maps(images)
    cells = positive_int(cells, "cells")
    feature = import_scikit_image("feature")
    grays = import_scikit_image("color").rgb2gray(images).round().astype(np.uint8)
    histograms = []
    for gray in grays:
        patterns = feature.local_binary_pattern(gray, NEIGHBORS, 1, "nri_uniform").astype(int)
        parts = (
            part
            for rows in np.array_split(patterns, cells, axis=0)
            for part in np.array_split(rows, cells, axis=1)
        )
        histograms.append([np.bincount(part.ravel(), minlength=PATTERNS) for part in parts])
    return unit_rows(np.reshape(histograms, (len(images), -1)).astype(np.float64))
