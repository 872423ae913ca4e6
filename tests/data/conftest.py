"""Photographs and image sets that the tests of the data room share."""

import os
import pathlib

import numpy as np
import pytest

from nfl_keras.data.image_set import ImageSet


@pytest.fixture(scope="session")
def noise():
    """Function from a height, a width and a seed to a photograph of noise."""

    def draw(height, width, seed=0):
        return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)

    return draw


@pytest.fixture(scope="session")
def named_set():
    """Function from class sizes to an image set whose photographs' bytes are their ids."""

    def make(sizes, interleaved=False):
        labels = np.repeat(np.arange(len(sizes)), sizes)
        if interleaved:
            labels = np.random.default_rng(len(labels)).permutation(labels)
        ids = [f"photograph {i}" for i in range(len(labels))]
        names = [f"class {c}" for c in range(len(sizes))]
        return ImageSet(ids, labels, names, lambda i: ids[i].encode(), description="made up")

    return make


@pytest.fixture(scope="session")
def flowers17_dir():
    """The folder of the real photographs, where there is one."""
    folder = os.environ.get("NFL_KERAS_DATA")
    if not folder:
        pytest.skip("NFL_KERAS_DATA does not name the folder that holds flowers17/")
    return pathlib.Path(folder) / "flowers17"
