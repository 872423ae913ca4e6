import math

import numpy as np
import pytest
from drawn_maps import drawn_maps, unit
from hypothesis import given

from nfl_keras.retrieval.descriptors import average_pooling, spoc


@given(drawn_maps())
def test_by_a_loop_over_places(maps):
    count, height, width, channels = maps.shape
    sigma = min(height, width) / 2 / 3
    expected = np.zeros((count, channels))
    for b in range(count):
        for i in range(height):
            for j in range(width):
                y, x = i + 0.5 - height / 2, j + 0.5 - width / 2
                weight = math.exp(-(x * x + y * y) / (2 * sigma * sigma))
                expected[b] += weight * maps[b, i, j].astype("float64")
    found = spoc(maps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [unit(row) for row in expected], atol=1e-6)


@given(drawn_maps())
def test_average_pooling_by_a_loop_over_places(maps):
    count, height, width, channels = maps.shape
    expected = np.zeros((count, channels))
    for i in range(height):
        for j in range(width):
            expected += maps[:, i, j].astype("float64")
    found = average_pooling(maps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [unit(row) for row in expected], atol=1e-6)


def test_the_sides_weigh_as_the_paper_has_it():
    # The center of a side is three sigma away from the center of the map.
    maps = np.zeros((1, 301, 301, 2))
    maps[0, 150, 150, 0] = maps[0, 150, 0, 1] = 1
    center, side = spoc(maps)[0].tolist()
    assert side / center == pytest.approx(math.exp(-(3**2) / 2), rel=0.05)
