"""Networks of a few hundred weights, and batches of a few pixels."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import nfl_keras


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(0)


def draw_weights(model):
    """Draws the kernels by NumPy, so that a model is the same under every backend."""
    generator = np.random.default_rng(0)
    for weight in model.trainable_weights:
        if len(weight.shape) > 1:
            limit = np.sqrt(3 / np.prod(weight.shape[:-1]))
            weight.assign(generator.uniform(-limit, limit, weight.shape))
    return model


@pytest.fixture(scope="session")
def make_backbone():
    """Function to a small convolutional network on 8 x 8 pixels or any other size."""

    def make(output="maps", batch_norm=True, side=None, regularizer=None):
        layers = keras.layers
        inputs = keras.Input((side, side, 3))
        x = layers.Conv2D(6, 3, strides=2, name="a_conv", kernel_regularizer=regularizer)(inputs)
        if batch_norm:
            x = layers.BatchNormalization(name="a_bn")(x)
        x = layers.Activation("tanh", name="a_tanh")(x)
        x = layers.Conv2D(5, 2, name="b_conv")(x)
        if batch_norm:
            x = layers.BatchNormalization(name="b_bn")(x)
        if output == "tokens":
            x = layers.Reshape((-1, 5))(x)
        if output == "vectors":
            x = layers.GlobalMaxPooling2D()(x)
        return draw_weights(keras.Model(inputs, x, name="backbone"))

    return make


@pytest.fixture(scope="session")
def make_embedder(make_backbone):
    """Function to an `Embedder` with 4-D embeddings; `arguments` are those of the backbone."""

    def make(embedding_dim=4, **arguments):
        backbone = make_backbone(**arguments)
        return draw_weights(nfl_keras.models.Embedder(backbone, embedding_dim, 8, 1 / 127.5, -1.0))

    return make


@pytest.fixture
def images():
    """12 images of 3 classes that differ in their colors."""
    generator = np.random.default_rng(0)
    colors = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200]])[np.arange(12) % 3]
    noise = generator.normal(0, 25, (12, 8, 8, 3))
    return np.clip(colors[:, None, None] + noise, 0, 255).astype("float32")


@pytest.fixture
def labels():
    return (np.arange(12) % 3).astype("int32")


@pytest.fixture
def predict_elsewhere(tmp_path):
    """Function that saves a model and lets a fresh process load it and embed images."""
    script = (
        "import sys, keras, numpy as np, nfl_keras\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "images = np.load(sys.argv[2], allow_pickle=False)\n"
        "np.save(sys.argv[3], model.predict(images, verbose=0))\n"
    )

    def predict(model, images):
        paths = [str(tmp_path / name) for name in ("m.keras", "images.npy", "embeddings.npy")]
        model.save(paths[0])
        np.save(paths[1], images)
        package = Path(nfl_keras.__file__).parents[1]
        subprocess.run([sys.executable, "-c", script, *paths], cwd=package, check=True)
        return np.load(paths[2], allow_pickle=False)

    return predict
