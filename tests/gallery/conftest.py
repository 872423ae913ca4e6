"""Photographs of flat colors, and a model that embeds a photograph as its mean color."""

import io
import itertools

import keras
import numpy as np
import pytest
from PIL import Image

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def png():
    """A function from a color and a size to the bytes of a PNG with some grain."""

    def encode(color, size=(12, 16)):
        grain = np.random.default_rng(sum(color)).integers(-3, 4, (*size, 3))
        pixels = np.clip(np.array(color) + grain, 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def model():
    """A Keras model from images of 8 pixels to the direction of their mean color."""
    images = keras.Input((8, 8, 3))
    means = keras.layers.GlobalAveragePooling2D()(images)
    centered = keras.layers.Rescaling(1.0, -127.0)(means)
    made = keras.Model(images, keras.layers.UnitNormalization()(centered))
    made.image_size = 8
    return made


COLORS = {
    "red/1.png": (250, 10, 10),
    "red/2.png": (240, 30, 20),
    "red/3.png": (230, 10, 40),
    "green/1.png": (10, 250, 20),
    "green/2.png": (30, 240, 10),
    "blue/deep/1.png": (10, 10, 250),
    "loose.png": (250, 250, 10),
}


@pytest.fixture
def images(tmp_path, png):
    """A folder with 7 photographs, one of them in no folder."""
    root = tmp_path / "images"
    for name, color in COLORS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(color))
    return root


@pytest.fixture
def expected():
    """A function from ids to the vectors that the model gives, computed in float64."""

    def embed(ids):
        rows = []
        for name in ids:
            color = np.array(COLORS[name])
            grain = np.random.default_rng(color.sum()).integers(-3, 4, (12, 16, 3))
            pixels = np.clip(color + grain, 0, 255).astype(np.float64)
            direction = pixels.mean(axis=(0, 1)) - 127
            rows.append(direction / np.sqrt((direction**2).sum()))
        return np.array(rows)

    return embed


@pytest.fixture(scope="session")
def milvus(tmp_path_factory):
    """A function from a name to the URI of a gallery in a database of milvus-lite."""
    pytest.importorskip("pymilvus")
    pytest.importorskip("milvus_lite")
    database = tmp_path_factory.mktemp("milvus") / "galleries.db"
    return lambda name: f"milvus://{database}/{name}"


@pytest.fixture(params=["folder", "milvus"])
def place(request, tmp_path):
    """A function from a name to where a gallery of that name is: a folder, or Milvus."""
    if request.param == "folder":
        return tmp_path.joinpath
    uri, number = request.getfixturevalue("milvus"), next(_NUMBERS)
    return lambda name: uri(f"{name}_{number}")
