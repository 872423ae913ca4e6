import pytest

from nfl_keras.data.sources.read_columns import read_columns
from nfl_keras.errors import UserError


def test_columns_and_blanks_in_the_last(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("number  name\n1 Überraschung photo 1.jpg \n\n2\tb.jpg\r\n", encoding="utf-8")
    rows = [["1", "Überraschung photo 1.jpg"], ["2", "b.jpg"]]
    assert read_columns(path, 2, header=1) == rows
    assert read_columns(path, 2) == [["number", "name"], *rows]
    assert read_columns(path, 2, header=2) == rows[1:]


def test_a_short_line_is_named(tmp_path):
    (tmp_path / "list.txt").write_text("1 a\n2\n")
    with pytest.raises(UserError, match=r"line 2 of .*list\.txt' has 1 columns, not 2") as refused:
        read_columns(tmp_path / "list.txt", 2)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UserError, match=r"list\.txt' cannot be read") as refused:
        read_columns(tmp_path / "list.txt", 2)
    assert "\n" not in str(refused.value)
