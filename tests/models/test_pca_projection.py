import keras
import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.models import Embedder, start_with_pca


@pytest.fixture(scope="module")
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(40, 5)) @ rng.normal(size=(5, 5)) + rng.normal(size=5)


@pytest.fixture
def embedder(make_backbone):
    return Embedder(make_backbone("vectors", side=8), 3, 8)


def projected(embedder, features):
    kernel, bias = (w.astype("float64") for w in embedder.get_layer("projection").get_weights())
    return features @ kernel + bias


@pytest.mark.parametrize("whitening", [0.0, 0.5, 1.0])
def test_components_by_singular_values(embedder, features, whitening):
    start_with_pca(embedder, features, whitening)
    found = projected(embedder, features)
    centered = features - features.mean(axis=0)
    _, singular, rows = np.linalg.svd(centered, full_matrices=False)
    deviations = singular / np.sqrt(len(features) - 1)
    right = centered @ rows[:3].T / deviations[:3] ** whitening
    # Each component is right up to its sign, and all up to one factor.
    factors = found / right
    np.testing.assert_allclose(np.abs(factors), np.abs(factors[0, 0]), rtol=1e-3)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_half_whitening_is_the_default(make_backbone, features):
    kernels = []
    for whitening in ({}, {"whitening": 0.5}):
        embedder = Embedder(make_backbone("vectors", side=8), 3, 8)
        start_with_pca(embedder, features, **whitening)
        kernels.append(embedder.get_layer("projection").get_weights()[0])
    np.testing.assert_array_equal(*kernels)


def test_the_kernel_has_the_norm_of_he_initialization(embedder, features):
    start_with_pca(embedder, features)
    norm = np.linalg.norm(embedder.get_layer("projection").get_weights()[0])
    he = keras.initializers.HeNormal(0)((5, 30_000))
    expected = np.linalg.norm(he) / np.sqrt(10_000)
    assert norm == pytest.approx(expected, rel=0.01)


def test_fewer_photographs_than_dimensions_give_finite_weights(embedder, features):
    start_with_pca(embedder, features[:2])
    assert np.isfinite(projected(embedder, features)).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": np.zeros((4, 5))}, "do not differ"),
        ({"features": np.full((4, 5), np.nan)}, "not finite"),
        ({"features": np.zeros((4, 6))}, r"must be \[N, 5\]"),
        ({"features": np.zeros((1, 5))}, "at least 2 photographs"),
        ({"whitening": 1.5}, "whitening must be in 0..1"),
    ],
)
def test_what_does_not_fit_is_refused(embedder, features, changed, message):
    with pytest.raises(UserError, match=message):
        start_with_pca(embedder, **{"features": features, **changed})


@pytest.mark.parametrize("dimensions", [None, 6])
def test_an_embedder_without_room_for_components_is_refused(make_backbone, features, dimensions):
    embedder = Embedder(make_backbone("vectors", side=8), dimensions, 8)
    with pytest.raises(UserError, match=r"at most 5 dimensions.*projection random"):
        start_with_pca(embedder, features)
