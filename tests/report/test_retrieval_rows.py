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


def test_the_aspect_ratio_is_of_queries_and_neighbors(encode):
    near = [Neighbor(encode(Image.new("RGB", (w, 100))), "b", 0.5, True) for w in (120, 140)]
    rows = [
        RetrievalRow(encode(Image.new("RGB", (90, 100))), "a", near),
        RetrievalRow(b"", "a", []),
    ]
    assert draw_rows(rows)[1] == 1.2
