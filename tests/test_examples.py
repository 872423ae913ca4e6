"""Every `>>>` example of the package runs as it stands, and prints what it says.

In scope are `nfl`, `keras`, `np`, `tf` and the names of `names` below. The current folder holds
`photographs`, with 4 classes of 5 photographs. An example that cannot run here carries
`# doctest: +SKIP`, and the text before it says why.
"""

import doctest
import importlib
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import nfl_keras as nfl

PACKAGE = pathlib.Path(nfl.__file__).parent
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.fixture(scope="module")
def names():
    embedder = nfl.models.Embedder("tiny", embedding_dim=16, image_size=32)
    model = nfl.models.NoiseInvariantModel(embedder, num_classes=4)
    images = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 3)).astype("float32")
    labels = np.repeat(np.arange(4), 2).astype("int32")
    return {
        "nfl": nfl,
        "keras": keras,
        "np": np,
        "tf": tf,
        "embedder": embedder,
        "model": model,
        "images": images,
        "labels": labels,
        "dataset": tf.data.Dataset.from_tensor_slices((images, labels)).batch(8),
    }


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples") / "photographs"
    rng = np.random.default_rng(0)
    for name in ("ash", "beech", "cedar", "elm"):
        (folder / name).mkdir(parents=True)
        for number in range(5):
            pixels = rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")
    return folder


@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_they_stand(module, names, photographs, tmp_path, monkeypatch):
    failures = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    for test in doctest.DocTestFinder().find(importlib.import_module(module), extraglobs=names):
        keras.utils.set_random_seed(0)
        folder = tmp_path / test.name
        folder.mkdir()
        (folder / "photographs").symlink_to(photographs)
        monkeypatch.chdir(folder)
        runner.run(test, out=failures.append)
    assert not failures, "".join(failures)
