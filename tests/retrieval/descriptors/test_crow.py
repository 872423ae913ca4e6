import math

import numpy as np
import pytest
from drawn_maps import drawn_maps, unit
from hypothesis import given

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors import crow


@given(drawn_maps())
def test_by_loops_over_places_and_channels(maps):
    _, height, width, channels = maps.shape
    places = [(i, j) for i in range(height) for j in range(width)]
    for found, one in zip(crow(maps), maps.astype("float64"), strict=True):
        sums = {place: sum(one[place].tolist()) for place in places}
        norm = math.sqrt(sum(value**2 for value in sums.values())) or 1
        shares = [sum(one[i, j, c] > 0 for i, j in places) / len(places) for c in range(channels)]
        expected = []
        for c in range(channels):
            value = sum(math.sqrt(sums[place] / norm) * one[place][c] for place in places)
            expected.append(value * math.log(sum(shares) / shares[c]) if shares[c] else 0.0)
        # A lone channel has the weight log 1 = 0.
        np.testing.assert_allclose(found, unit(expected), atol=1e-6)


def test_by_hand():
    maps = np.array([[[[1.0, 2.0], [1.0, 0.0]], [[3.0, 0.0], [9.0, 0.0]]]])
    # Sums 3, 1, 3, 9 of norm 10; shares 1 and 1/4.
    first = (math.sqrt(0.3) + math.sqrt(0.1) + 3 * math.sqrt(0.3) + 9 * math.sqrt(0.9)) * math.log(
        1.25
    )
    second = 2 * math.sqrt(0.3) * math.log(5)
    np.testing.assert_allclose(crow(maps)[0], unit([first, second]), atol=1e-6)


def test_negative_maps_are_refused():
    with pytest.raises(UserError, match=r"not negative, and these have -2; apply ReLU"):
        crow(np.full((1, 2, 2, 1), -2.0))
