import keras
import numpy as np
import pytest

import nfl_keras
from nfl_keras.errors import UserError
from nfl_keras.training.load_learner import load_learner


@pytest.fixture
def model():
    images = keras.Input((8, 8, 3))
    backbone = keras.Model(images, keras.layers.Flatten()(images))
    embedder = nfl_keras.models.Embedder(backbone, 2, image_size=8)
    return nfl_keras.models.NoiseInvariantModel(embedder, num_classes=2)


def test_a_runs_model_is_loaded_with_its_weights(model, tmp_path):
    model.save(tmp_path / "last.keras")
    loaded = load_learner(tmp_path / "last.keras")
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(loaded.embedder(images), model.embedder(images))


def test_what_is_no_model_of_a_run_is_refused(model, tmp_path):
    with pytest.raises(UserError, match="the run did not get so far"):
        load_learner(tmp_path / "none.keras")
    (tmp_path / "torn.keras").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"cannot load .*torn\.keras"):
        load_learner(tmp_path / "torn.keras")
    model.embedder.save(tmp_path / "embedder.keras")
    with pytest.raises(UserError, match="holds a Embedder, not a run's model"):
        load_learner(tmp_path / "embedder.keras")
