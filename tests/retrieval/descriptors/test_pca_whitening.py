import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors import PCAWhitening


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 6)) @ rng.normal(size=(6, 6)) + rng.normal(size=6)


@pytest.mark.parametrize("dimensions", [1, 4, 6])
def test_by_singular_values(vectors, dimensions):
    mean = vectors.mean(axis=0)
    _, singular, rows = np.linalg.svd(vectors - mean, full_matrices=False)
    others = np.random.default_rng(1).normal(size=(7, 6))
    expected = (others - mean) @ rows[:dimensions].T / singular[:dimensions]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = PCAWhitening(vectors, dimensions)(others)
    assert found.dtype == np.float32
    # Each component is right up to its sign.
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-5)
    np.testing.assert_allclose(np.abs(found @ found.T), np.abs(expected @ expected.T), atol=1e-5)


def test_any_number_of_axes(vectors):
    whitening = PCAWhitening(vectors, 3)
    np.testing.assert_array_equal(
        whitening(vectors.reshape(5, 12, 6)), whitening(vectors).reshape(5, 12, 3)
    )


def test_the_default_are_256_dimensions_or_as_many_as_there_are(vectors):
    np.testing.assert_array_equal(PCAWhitening(vectors)(vectors), PCAWhitening(vectors, 6)(vectors))
    wide = np.random.default_rng(2).normal(size=(10, 300))
    assert PCAWhitening(wide)(wide).shape == (10, 256)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dimensions": 7}, "to 7 dimensions needs at least 2 descriptors .* not 60 of 6"),
        ({"dimensions": 0}, "dimensions must be a whole number of 1 or more"),
        ({"vectors": np.zeros((1, 6)), "dimensions": 2}, "not 1 of 6"),
        ({"vectors": np.zeros((4, 6))}, "do not differ"),
        ({"vectors": np.full((4, 6), np.nan)}, "NaN or infinity"),
        ({"vectors": np.zeros((4, 6, 1))}, r"must be floats of shape \[N, C\]"),
    ],
)
def test_what_does_not_fit_is_refused(vectors, changed, message):
    with pytest.raises(UserError, match=message):
        PCAWhitening(**{"vectors": vectors, **changed})
