import keras
import numpy as np
import pytest

import nfl_keras
from nfl_keras.errors import UserError
from nfl_keras.models import Learner, Term
from nfl_keras.training.load_learner import load_learner


class Unregistered(Learner):
    """A recipe of a user's own, which Keras does not know."""

    def __init__(self, embedder, num_classes, **kwargs):
        terms = [Term("far", 1.0, lambda outputs: keras.ops.sum(outputs.clean**2, axis=1))]
        super().__init__(embedder, terms, **kwargs)
        self.num_classes = num_classes

    def get_config(self):
        embedder = keras.saving.serialize_keras_object(self.embedder)
        return {"embedder": embedder, "num_classes": self.num_classes, "name": self.name}

    @classmethod
    def from_config(cls, config):
        embedder = keras.saving.deserialize_keras_object(config["embedder"])
        return cls(**{**config, "embedder": embedder})


@pytest.fixture
def embedder():
    images = keras.Input((8, 8, 3))
    backbone = keras.Model(images, keras.layers.Flatten()(images))
    return nfl_keras.models.Embedder(backbone, 2, image_size=8)


@pytest.fixture
def model(embedder):
    return nfl_keras.models.NoiseInvariantModel(embedder, num_classes=2)


def embeddings_of(model):
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    return np.asarray(model.embedder(images))


@pytest.mark.parametrize("recipe", [None, nfl_keras.models.NoiseInvariantModel])
def test_a_runs_model_is_loaded_with_its_weights(model, recipe, tmp_path):
    model.save(tmp_path / "last.keras")
    loaded = load_learner(tmp_path / "last.keras", recipe)
    assert type(loaded) is nfl_keras.models.NoiseInvariantModel
    np.testing.assert_array_equal(embeddings_of(loaded), embeddings_of(model))


def test_a_recipe_that_is_not_registered_is_loaded_where_it_is_given(embedder, tmp_path):
    model = Unregistered(embedder, num_classes=2)
    model(np.zeros((1, 8, 8, 3)))
    model.save(tmp_path / "last.keras")
    loaded = load_learner(tmp_path / "last.keras", Unregistered)
    assert type(loaded) is Unregistered
    np.testing.assert_array_equal(embeddings_of(loaded), embeddings_of(model))
    with pytest.raises(UserError, match="cannot load"):
        load_learner(tmp_path / "last.keras")


def test_what_is_no_model_of_a_run_is_refused(model, tmp_path):
    with pytest.raises(UserError, match="the run did not get so far"):
        load_learner(tmp_path / "none.keras")
    (tmp_path / "torn.keras").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"cannot load .*torn\.keras"):
        load_learner(tmp_path / "torn.keras")
    model.embedder.save(tmp_path / "embedder.keras")
    with pytest.raises(UserError, match="holds a Embedder, not a run's model"):
        load_learner(tmp_path / "embedder.keras")
