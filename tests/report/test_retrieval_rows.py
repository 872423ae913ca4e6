import pytest
from PIL import Image

from nfl_keras.report.retrieval_rows import Neighbor, RetrievalRow, draw_rows


def test_rows_keep_their_order_and_count_correct_neighbors(photograph):
    near = [Neighbor(photograph(i), f"class {i}", 1 - i / 10, i == 2) for i in range(3)]
    rows = [RetrievalRow(photograph(9), "a", near, note="why"), RetrievalRow(b"", "b", [])]
    drawn, _ = draw_rows(rows)
    assert [row.query.class_name for row in drawn] == ["a", "b"]
    assert [row.num_correct for row in drawn] == [1, 0]
    assert [tile.class_name for _, tile in drawn[0].neighbors] == ["class 0", "class 1", "class 2"]
    assert drawn[0].note == "why"
    assert drawn[1].query.uri is None


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
    rows = [RetrievalRow(encode(Image.new("RGB", size)), "a", []) for size in sizes]
    assert draw_rows(rows)[1] == expected


def test_unreadable_photographs_leave_the_aspect_ratio_alone(encode):
    rows = [RetrievalRow(b"", "a", []), RetrievalRow(encode(Image.new("RGB", (90, 100))), "a", [])]
    assert draw_rows(rows)[1] == 0.9
