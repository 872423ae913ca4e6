"""Photographs, and embedders whose explanations the tests can compute."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

from nfl_keras.models import Embedder

SIZE = 16


@pytest.fixture(scope="session")
def photograph():
    """Function from a seed and a size (width, height) to pixels, uint8 `[H, W, 3]`."""

    def draw(seed=0, size=(27, 20)):
        coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))

    return draw


@pytest.fixture(scope="session")
def png():
    """Function from pixels and options of Pillow to the bytes of a PNG."""

    def encode(pixels, **options):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", **options)
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def make_embedder():
    """Function that makes an embedder with 4 x 4 regions of 6 channels, and a bias that counts.

    Args of the function: pooling; embedding_dim; kind of the backbone's output, `"maps"`,
    `"tokens"` or `"vectors"`; dtype; neck.
    """

    def make(pooling="auto", embedding_dim=5, kind="maps", dtype=None, neck=False):
        keras.utils.set_random_seed(1)
        pixels = keras.Input((SIZE, SIZE, 3))
        outputs = keras.layers.Conv2D(6, 4, strides=4, activation="relu", name="last")(pixels)
        if kind == "tokens":
            outputs = keras.layers.Reshape((16, 6))(outputs)
        if kind == "vectors":
            outputs = keras.layers.GlobalAveragePooling2D()(outputs)
        backbone = keras.Model(pixels, outputs)
        embedder = Embedder(
            backbone, embedding_dim, SIZE, 1 / 127.5, -1.0, pooling=pooling, dtype=dtype, neck=neck
        )
        if neck:
            draw = np.random.default_rng(3).uniform
            embedder.get_layer("neck").set_weights(draw(0.1, 2, (3, embedder.output_shape[-1])))
        if embedding_dim is not None:
            kernel, bias = embedder.get_layer("projection").get_weights()
            bias = np.random.default_rng(2).normal(0, 0.3, bias.shape)
            embedder.get_layer("projection").set_weights([kernel, bias])
        return embedder

    return make
