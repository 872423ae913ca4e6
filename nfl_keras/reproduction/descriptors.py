"""The descriptors of photographs and of feature maps that a table can have."""

import dataclasses
from collections.abc import Callable

import numpy as np

from nfl_keras.retrieval.descriptors import (
    average_pooling,
    crow,
    hog,
    lbp,
    regional_maxima,
    scda,
    spoc,
)


@dataclasses.dataclass(frozen=True)
class Descriptor:
    """A descriptor that needs no training but for its whitening.

    Args:
        describe: function from pixels or feature maps `[B, H, W, C]` to `[B, D]`, or to `[B, R, D]`
            for the regions of R-MAC.
        of_pixels: bool, whether it takes pixels. Defaults to `False`: feature maps.
        whitened: int, the dimensions that whitening keeps. Defaults to `None`: no whitening.
    """

    describe: Callable[[np.ndarray], np.ndarray]
    of_pixels: bool = False
    whitened: int | None = None


DESCRIPTORS = {
    "frozen": Descriptor(average_pooling),
    "lbp": Descriptor(lbp, of_pixels=True),
    "hog": Descriptor(hog, of_pixels=True),
    "spoc": Descriptor(spoc, whitened=256),
    "crow": Descriptor(crow, whitened=256),
    "rmac": Descriptor(regional_maxima, whitened=256),
    "scda": Descriptor(scda),
}
