import pytest
from PIL import Image

from nfl_keras.report.tile import aspect_ratio, draw_tile


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(120, 100)], 1.2),
        ([(120, 100), (100, 100), (50, 100)], 1.0),
        ([(200, 100)], 1.5),
        ([(50, 100)], 0.75),
        ([], 1.0),
    ],
)
def test_the_aspect_ratio_is_the_median_within_bounds(encode, sizes, expected):
    tiles = [draw_tile(encode(Image.new("RGB", size)), "a") for size in sizes]
    assert aspect_ratio(tiles) == expected


def test_unreadable_photographs_leave_the_aspect_ratio_alone(encode):
    tiles = [draw_tile(b"", "a"), draw_tile(encode(Image.new("RGB", (90, 100))), "b")]
    assert [tile.uri is None for tile in tiles] == [True, False]
    assert [tile.class_name for tile in tiles] == ["a", "b"]
    assert aspect_ratio(tiles) == 0.9
