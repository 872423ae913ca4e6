import numpy as np
from keras import ops

from nfl_keras.losses.pairs.pairs import Pairs


def test_masks_and_similarities():
    f = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    pairs = Pairs.of(*map(ops.convert_to_tensor, (f, [7, 8, 7, 9])))
    same = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], bool)
    np.testing.assert_array_equal(pairs.positives, same & ~np.eye(4, dtype=bool))
    np.testing.assert_array_equal(pairs.negatives, ~same)
    np.testing.assert_allclose(pairs.similarities, f @ f.T, rtol=1e-5, atol=1e-6)


def test_distances_of_vectors_of_any_length(gradients_of):
    f = np.random.default_rng(0).normal(size=(5, 3)).astype("float32") * 3
    expected = np.linalg.norm(f[:, None].astype("float64") - f, axis=-1)
    labels = ops.zeros(5, "int32")
    np.testing.assert_allclose(
        Pairs.of(ops.convert_to_tensor(f), labels).distances(), expected, rtol=1e-4, atol=5e-3
    )

    def of_first(f):
        return ops.sum(Pairs.of(f, labels).distances()[0, 1:])

    [gradient] = gradients_of(of_first, f)
    directions = (f[0] - f[1:]) / expected[0, 1:, None]
    expected = np.concatenate([directions.sum(axis=0, keepdims=True), -directions])
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


def test_distance_of_equal_vectors_is_0_without_a_gradient(gradients_of):
    f = np.array([[0.5, 0.5]] * 3, "float32")
    labels = ops.zeros(3, "int32")
    assert not np.asarray(Pairs.of(ops.convert_to_tensor(f), labels).distances()).any()
    [gradient] = gradients_of(lambda f: ops.sum(Pairs.of(f, labels).distances()), f)
    assert not gradient.any()
