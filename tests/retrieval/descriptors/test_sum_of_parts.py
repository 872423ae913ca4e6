import numpy as np
import pytest

from nfl_keras.retrieval.descriptors.sum_of_parts import sum_of_parts


def test_each_crop_counts_the_same_whatever_its_regions_sum_to():
    regions = np.array([[[[2.0, 0.0], [0.0, 3.0]], [[4.0, 0.0], [1.0, 0.0]]]])
    # The crops' sums (1, 1) and (2, 0) have the unit vectors (1, 1) / sqrt 2 and (1, 0).
    x, y = 0.5**0.5 + 1, 0.5**0.5
    expected = np.array([[x, y]]) / np.hypot(x, y)
    assert sum_of_parts(regions) == pytest.approx(expected, abs=1e-7)


def test_loops_over_random_crops():
    vectors = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    for of_all, of_one in zip(vectors, sum_of_parts(vectors), strict=True):
        total = np.zeros(5)
        for crop in of_all:
            region_sum = sum(region / np.linalg.norm(region) for region in crop)
            total += region_sum / np.linalg.norm(region_sum)
        assert of_one == pytest.approx(total / np.linalg.norm(total), abs=1e-6)


def test_zeros_stay_zeros():
    assert not sum_of_parts(np.zeros((2, 3, 4), "float32")).any()
