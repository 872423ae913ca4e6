import types

import numpy as np
import pytest
import tensorflow as tf

from nfl_keras.data import open_dataset
from nfl_keras.errors import UserError
from nfl_keras.models import Embedder
from nfl_keras.retrieval import pooled_features
from nfl_keras.training import start_embedder as module
from nfl_keras.training.config import TrainConfig
from nfl_keras.training.run_folder import RunFolder
from nfl_keras.training.start_embedder import start_embedder, starts_with_pca

PCA = {"projection": "pca", "embedding_dim": 4, "image_size": 16}


@pytest.fixture
def train(photographs):
    return open_dataset(str(photographs)).split("train", "fine-grained", 0)


def start(folder, train, features=pooled_features, **settings):
    """The weights that an embedder begins with, and the embedder."""
    config = TrainConfig.from_settings(**{**PCA, **settings})
    embedder = Embedder("tiny", config.embedder.embedding_dim, 16)
    strategy = tf.distribute.get_strategy()
    weights = start_embedder(embedder, train, config, RunFolder(folder), strategy, features)
    return weights, embedder


@pytest.mark.parametrize(
    ("settings", "feature_dim", "expected"),
    [
        ({"backbone": "resnet"}, 8, True),
        ({"backbone": "resnet"}, 7, False),
        ({"backbone": "resnet", "projection": "random"}, 8, False),
        ({"backbone": "resnet", "embedding_dim": None}, 8, False),
        ({"backbone": "tiny"}, 8, False),
        ({"backbone": "tiny", "projection": "pca"}, 8, True),
    ],
)
def test_which_runs_begin_with_principal_components(settings, feature_dim, expected):
    config = TrainConfig.from_settings(**{"embedding_dim": 8, **settings})
    dimensions = config.embedder.embedding_dim
    embedder = types.SimpleNamespace(embedding_dim=dimensions, feature_dim=feature_dim)
    assert starts_with_pca(embedder, config) == expected


def test_a_run_that_resumes_begins_with_the_same_weights(tmp_path, train, capsys):
    first, _ = start(tmp_path, train)
    assert "principal components of 24 photographs" in capsys.readouterr().out
    second, embedder = start(tmp_path, None)
    for weights in (second, embedder.get_weights()):
        for found, right in zip(weights, first, strict=True):
            np.testing.assert_array_equal(found, right)


def test_components_are_of_photographs_from_the_whole_set(tmp_path, train, monkeypatch, capsys):
    monkeypatch.setattr(module, "_MOST_PHOTOGRAPHS", 10)
    seen = []

    def features(embedder, some):
        seen.append(some)
        return np.random.default_rng(0).normal(size=(8, 160))

    start(tmp_path, train, features)
    np.testing.assert_array_equal(seen[0].ids, train.ids[::3])
    assert "principal components of 8 photographs" in capsys.readouterr().out


def test_weights_of_another_embedder_are_refused(tmp_path, train):
    start(tmp_path, train, projection="random")
    with pytest.raises(UserError, match=r"start\.npz' does not fit the model of the run"):
        start(tmp_path, train, embedding_dim=5)
