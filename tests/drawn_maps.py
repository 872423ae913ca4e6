"""Feature maps that the tests of descriptors draw, and the norm by a plain sum."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def drawn_maps(draw):
    """Feature maps after a ReLU, of many shapes, some with channels of zeros alone."""
    shape = [draw(st.integers(1, most)) for most in (3, 9, 9, 5)]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    maps = np.maximum(rng.normal(draw(st.sampled_from([-1.0, 0.0, 2.0])), 1, shape), 0)
    maps[..., rng.random(shape[3]) < 0.2] = 0
    return maps.astype("float32")


def unit(values):
    """A list of floats divided by its norm, unless that is 0."""
    norm = sum(float(value) ** 2 for value in values) ** 0.5
    return [value / norm if norm else value for value in values]
