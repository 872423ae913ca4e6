import keras
import numpy as np
import pytest
from keras import layers

from nfl_keras.data import load
from nfl_keras.errors import UserError
from nfl_keras.models import Embedder
from nfl_keras.retrieval.descriptors import average_pooling, describe, feature_maps, lbp, spoc
from nfl_keras.retrieval.pooled_features import pooled_features


@pytest.fixture(scope="module")
def photographs():
    return load("blooms").subset(range(0, 240, 48))


@pytest.fixture(scope="module")
def embedder():
    images = keras.Input((None, None, 3))
    return Embedder(keras.Model(images, layers.Conv2D(4, 3, 2)(images)), 2, image_size=17)


@pytest.mark.parametrize("crops", [1, 3])
def test_descriptors_of_crops_are_averaged(photographs, embedder, crops, shown_lines):
    found = describe(photographs, spoc, embedder, crops, batch_size=2)
    assert shown_lines() == ["2 of 5 photographs described", "4 of 5 photographs described"]
    maps = np.concatenate(list(feature_maps(embedder, photographs, crops, batch_size=3)))
    assert maps.shape == (5, crops, 8, 8, 4)
    means = np.mean([spoc(maps[:, crop]) for crop in range(crops)], axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(found, means, atol=1e-6)


def test_average_pooling_is_the_direction_of_the_pooled_features(photographs, embedder):
    features = pooled_features(embedder, photographs)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    found = describe(photographs, average_pooling, embedder, show_progress=False)
    np.testing.assert_allclose(found, features, atol=1e-5)


def test_pixels_are_described_without_an_embedder(photographs):
    seen = []
    found = describe(
        photographs, lambda images: seen.append(images) or lbp(images), image_size=32, batch_size=5
    )
    (images,) = seen
    assert images.shape == (5, 32, 32, 3)
    assert images.min() >= 0
    assert 100 < images.max() <= 255
    np.testing.assert_array_equal(found, lbp(images))


def test_a_backbone_without_maps_is_refused(photographs):
    images = keras.Input((17, 17, 3))
    vectors = keras.Model(images, layers.GlobalAveragePooling2D()(images))
    with pytest.raises(UserError, match=r"must be \[B, H, W, C\].*a backbone that gives them"):
        describe(photographs, spoc, Embedder(vectors, 2, image_size=17))
