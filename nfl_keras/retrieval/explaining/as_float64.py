"""Defines how a tensor of any precision becomes an array to compute with."""

import numpy as np
from keras import ops

from nfl_keras.typing import Tensor


def as_float64(tensor: Tensor) -> np.ndarray:
    """Returns a tensor as a float64 array, from bfloat16, too, which NumPy does not know."""
    return ops.convert_to_numpy(ops.cast(tensor, "float32")).astype(np.float64)
