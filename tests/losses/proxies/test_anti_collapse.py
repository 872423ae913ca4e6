import keras
import numpy as np
import pytest
from keras import ops

from nfl_keras.errors import UserError
from nfl_keras.losses import anti_collapse


def by_eigenvalues(vectors, precision):
    """The term from the eigenvalues of Z Z^T, which has those of Z^T Z that are not 0."""
    z = vectors.reshape(-1, vectors.shape[-1])
    factor = z.shape[1] / (len(z) * precision)
    return -0.5 * sum(np.log1p(factor * value) for value in np.linalg.eigvalsh(z @ z.T))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("shape", [(3, 6), (9, 4), (2, 3, 5), (1, 2)])
@pytest.mark.parametrize("precision", [0.5, 0.01])
def test_value_and_gradient_are_those_of_float64(gradients_of, shape, dtype, precision):
    tensor = ops.cast(np.random.default_rng(0).normal(size=shape) / np.sqrt(shape[-1]), dtype)
    exact = ops.convert_to_numpy(ops.cast(tensor, "float32")).astype("float64")
    value = anti_collapse(tensor, precision)
    assert (value.shape, keras.backend.standardize_dtype(value.dtype)) == ((), "float32")
    np.testing.assert_allclose(value, by_eigenvalues(exact, precision), rtol=2e-5)
    z = exact.reshape(-1, shape[-1])
    factor = z.shape[1] / (len(z) * precision)
    expected = -factor * z @ np.linalg.inv(np.eye(z.shape[1]) + factor * z.T @ z)
    [found] = gradients_of(lambda vectors: anti_collapse(vectors, precision), exact)
    np.testing.assert_allclose(found.reshape(z.shape), expected, rtol=1e-3, atol=1e-4)


def test_orthogonal_vectors_have_the_highest_rate():
    value = float(anti_collapse(np.eye(3, 6, dtype="float32"), precision=0.5))
    assert value == pytest.approx(-1.5 * np.log(1 + 6 / (3 * 0.5)), rel=1e-6)
    collapsed = float(anti_collapse(np.eye(1, 6, dtype="float32").repeat(3, axis=0)))
    assert collapsed == pytest.approx(-0.5 * np.log(1 + 6 / 0.5), rel=1e-6)
    assert collapsed > value


@pytest.mark.parametrize("precision", [0, -1.0, float("nan")])
def test_refuses_a_precision_of_0_or_below(precision):
    with pytest.raises(UserError, match="precision must be above 0"):
        anti_collapse(np.eye(2, dtype="float32"), precision)
