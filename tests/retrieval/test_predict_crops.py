import io
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from nfl_keras.data.image_set import ImageSet
from nfl_keras.retrieval.predict_crops import predict_crops

SCRIPT = Path(__file__).parent / "replicas.py"


@pytest.fixture(scope="module")
def stripes():
    """Seven pictures of 8 x 24 pixels: three squares of one gray each."""
    grays = np.random.default_rng(0).integers(0, 256, (7, 3))
    files = []
    for row in grays:
        pixels = np.broadcast_to(row.repeat(8)[None, :, None], (8, 24, 3)).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return grays, ImageSet(list("abcdefg"), [0] * 7, ["all"], files.__getitem__)


@pytest.mark.parametrize(
    ("crops", "batch_size", "sizes"),
    [(3, 3, [3, 3, 1]), (3, 7, [7]), (1, 4, [4, 3]), (1, 64, [7])],
)
def test_crops_of_each_photograph_stand_together(stripes, crops, batch_size, sizes):
    grays, image_set = stripes
    images = keras.Input((8, 8, 3))
    network = keras.Model(images, layers.GlobalAveragePooling2D()(images))
    batches = list(predict_crops(network, image_set, 8, crops, batch_size))
    assert [batch.shape for batch in batches] == [(size, crops, 3) for size in sizes]
    center_first = grays[:, [1, 0, 2]][:, :crops]
    assert np.abs(np.concatenate(batches) - center_first[..., None]).max() < 1e-3


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="replicas are TensorFlow's")
def test_on_replicas_each_photograph_comes_once(tmp_path):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    subprocess.run([sys.executable, SCRIPT, tmp_path / "found.npz"], env=environment, check=True)
    with np.load(tmp_path / "found.npz", allow_pickle=False) as found:
        for name, shape in (("embeddings", (5, 4)), ("probabilities", (5, 3))):
            on_one = found[f"{name} on 1"]
            assert on_one.shape == shape
            for scope in ("outside", "inside"):
                np.testing.assert_allclose(found[f"{name} on 2, {scope}"], on_one, atol=1e-6)
