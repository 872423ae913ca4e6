import keras
import numpy as np
from keras import layers

from nfl_keras.data import load
from nfl_keras.models import Embedder
from nfl_keras.retrieval.pooled_features import pooled_features


def test_features_are_those_of_the_center_crops(shown_lines):
    images = keras.Input((None, None, 3))
    embedder = Embedder(keras.Model(images, layers.Identity()(images)), 2, image_size=16)
    blooms = load("blooms").subset(range(5))
    features = pooled_features(embedder, blooms, batch_size=2)
    assert shown_lines() == ["2 of 5 photographs embedded", "4 of 5 photographs embedded"]
    assert features.dtype == np.float32
    for number in range(5):
        alone = pooled_features(embedder, blooms.subset([number]), show_progress=False)
        np.testing.assert_allclose(features[number], alone[0], atol=1e-5)
    assert shown_lines() == []
