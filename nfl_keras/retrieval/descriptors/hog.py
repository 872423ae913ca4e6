"""Defines histograms of oriented gradients."""

import numpy as np
from numpy.typing import ArrayLike

from nfl_keras.errors import UserError
from nfl_keras.retrieval.checks import positive_int
from nfl_keras.retrieval.descriptors.checked_maps import checked_maps
from nfl_keras.retrieval.descriptors.import_scikit_image import import_scikit_image
from nfl_keras.retrieval.descriptors.unit_rows import unit_rows


def hog(images: ArrayLike, cell: int = 16) -> np.ndarray:
    """Computes histograms of oriented gradients (HOG) of images.

    The gradients are those of the color channel that changes most. A cell has 9 orientations
    without sign, and each block of 2 x 2 cells is normalized by L2-Hys.

    Args:
        images: `[B, H, W, 3]`, RGB in 0..255, of two cells or more each way.
        cell: int, side of a cell in pixels. What is left at the right and below is not used.
            Defaults to `16`.

    Returns:
        float32 `[B, 36 (H // cell - 1) (W // cell - 1)]`, unit vectors.

    Raises:
        UserError: if `images` have another shape or are smaller than two cells, or scikit-image
            (extra `descriptors`) is missing.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3))
    >>> nfl.retrieval.descriptors.hog(images).shape
    (2, 72)

    Reference: N. Dalal, B. Triggs, Histograms of oriented gradients for human detection, CVPR 2005.
    """
    images = checked_maps(images)
    height, width = images.shape[1:3]
    if min(height, width) < 2 * positive_int(cell, "cell"):
        raise UserError(
            f"HOG needs images of two cells each way, and {height} x {width} pixels have fewer "
            f"cells of {cell}; lower cell."
        )
    feature = import_scikit_image("feature")
    described = [
        feature.hog(image, pixels_per_cell=(cell, cell), cells_per_block=(2, 2), channel_axis=-1)
        for image in images
    ]
    return unit_rows(np.stack(described))
