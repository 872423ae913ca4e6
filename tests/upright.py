"""Pixels as EXIF turns them, by NumPy alone."""

import numpy as np

_TURNS = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: np.rot90(image, 2),
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: np.rot90,
}


def upright(image, orientation):
    """Turns `[H, W, 3]` by an orientation of 1 to 8."""
    return _TURNS[int(orientation)](np.asarray(image))
