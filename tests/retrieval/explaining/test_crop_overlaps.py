import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nfl_keras.data.views.inference_crops import inference_crops
from nfl_keras.retrieval.explaining.crop_overlaps import crop_overlaps


@given(
    height=st.integers(1, 400),
    width=st.integers(1, 400),
    crops=st.sampled_from([1, 3]),
    regions=st.integers(1, 9),
    offset=st.sampled_from([-0.5, 0.0, 0.5]),
)
def test_the_shares_of_each_region_add_up_to_one(height, width, crops, regions, offset):
    rows, columns = crop_overlaps((height, width), 32, crops, regions, offset)
    for shares in (rows, columns):
        assert shares.shape[:2] == (crops, regions)
        assert regions <= shares.shape[2] <= 4 * regions
        assert shares.min() >= 0
        np.testing.assert_allclose(shares.sum(axis=2), 1, atol=1e-9)


def test_regions_lie_where_the_crops_are_cut():
    """The grid's cells are pixels here: each crop lies on the cells whose numbers it shows."""
    numbers = np.arange(30, dtype="float32")
    wide = np.broadcast_to(numbers[None, :, None], (8, 30, 3))
    for photograph, axis in ((wide, 1), (wide.transpose(1, 0, 2), 0)):
        cut = np.asarray(inference_crops(photograph, 8, 3))
        shares = crop_overlaps(photograph.shape[:2], 8, 3, 8)[axis]
        shown = cut[:, 0, :, 0] if axis else cut[:, :, 0, 0]
        np.testing.assert_allclose(shares @ numbers, shown, atol=1e-4)


def test_regions_that_lie_off_by_half_a_cell_reach_to_the_edges():
    rows, _ = crop_overlaps((6, 6), 6, 1, 3, offset=-0.5)
    np.testing.assert_allclose(rows[0], [[1, 0, 0], [0.5, 0.5, 0], [0, 1 / 3, 2 / 3]], atol=1e-9)
