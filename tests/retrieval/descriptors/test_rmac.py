import math

import numpy as np
import pytest
from drawn_maps import drawn_maps, unit
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.errors import UserError
from nfl_keras.retrieval.descriptors import PCAWhitening, regional_maxima, rmac
from nfl_keras.retrieval.descriptors.regional_maxima import regions


def test_the_regions_of_a_map_of_seven_by_seven():
    assert regions(7, 7, 3) == [
        (0, 0, 7),
        *[(top, left, 4) for top in (0, 3) for left in (0, 3)],
        *[(top, left, 3) for top in (0, 2, 4) for left in (0, 2, 4)],
    ]


def test_the_regions_of_a_wide_map():
    # Two largest regions overlap by 1/2, three by 3/4: two are closer to 40 %.
    assert regions(4, 6, 2) == [
        (0, 0, 4),
        (0, 2, 4),
        *[(top, left, 2) for top in (0, 2) for left in (0, 2, 4)],
    ]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 5))
def test_regions_are_as_many_and_as_large_as_published(height, width, levels):
    shorter, longer = min(height, width), max(height, width)
    overlaps = {m: 1 - (longer - shorter) / (m - 1) / shorter for m in range(2, 8)}
    closest = min(abs(overlap - 0.4) for overlap in overlaps.values())
    counts = [m for m, overlap in overlaps.items() if abs(overlap - 0.4) <= closest + 1e-12]
    along = counts[0] if longer > shorter else 1
    found = regions(height, width, levels)
    for level in range(1, levels + 1):
        side = math.floor(2 * shorter / (level + 1))
        of_level = found[: level * (level + along - 1)]
        if not side:
            assert not found
            return
        found = found[len(of_level) :]
        assert {size for _, _, size in of_level} == {side}
        for axis, length in enumerate((height, width)):
            starts = sorted({region[axis] for region in of_level})
            assert starts[0] == 0
            # A level spreads over all of a side, unless it has one region along it.
            assert starts[-1] + side == length or (length == shorter and level == 1)
    assert not found


@given(drawn_maps(), st.integers(1, 4))
def test_maxima_and_their_sum_by_loops(maps, levels):
    found, summed = regional_maxima(maps, levels), rmac(maps, levels=levels)
    where = regions(*maps.shape[1:3], levels)
    assert found.shape == (len(maps), len(where), maps.shape[3])
    for b in range(len(maps)):
        rows = []
        for top, left, side in where:
            inside = [(top + i, left + j) for i in range(side) for j in range(side)]
            rows.append(
                unit([max(maps[b, i, j, c] for i, j in inside) for c in range(maps.shape[3])])
            )
        np.testing.assert_allclose(found[b], rows, atol=1e-6)
        np.testing.assert_allclose(
            summed[b], unit([sum(values) for values in zip(*rows, strict=True)]), atol=1e-6
        )


def test_regions_are_whitened_before_they_are_summed():
    rng = np.random.default_rng(0)
    maps = rng.random((12, 7, 7, 5))
    regions_of_all = regional_maxima(maps)
    whitening = PCAWhitening(regions_of_all.reshape(-1, 5), 3)
    for found, rows in zip(rmac(maps, whitening), regions_of_all, strict=True):
        whitened = [whitening(row) for row in rows]
        np.testing.assert_allclose(found, unit(np.sum(whitened, axis=0)), atol=1e-6)


def test_no_level_is_refused():
    with pytest.raises(UserError, match="levels of 1 or more, not 0"):
        rmac(np.ones((1, 2, 2, 1)), levels=0)
