"""What the tests of calibration share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def clustered():
    """Function from counts and a noise to unit vectors and labels, strings."""

    def clustered(num_classes, per_class, noise, seed=0):
        rng = np.random.default_rng(seed)
        numbers = np.repeat(np.arange(num_classes), per_class)
        vectors = rng.normal(size=(num_classes, 16))[numbers]
        vectors = vectors + noise * rng.normal(size=(len(numbers), 16))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype("float32"), np.array([f"class {n:03}" for n in numbers])

    return clustered
