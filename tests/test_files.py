import pytest

from nfl_keras.files import write_whole


def test_text_arrives_whole_in_a_new_folder(tmp_path):
    path = write_whole(str(tmp_path / "a" / "b.html"), "é\n✓")
    assert path.read_bytes() == "é\n✓".encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["b.html"]


def test_old_file_is_replaced(tmp_path):
    path = tmp_path / "b.html"
    path.write_text("old and longer")
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_nothing_is_left_where_it_cannot_be_put(tmp_path):
    occupied = tmp_path / "b.html"
    occupied.mkdir()
    (occupied / "x").touch()
    with pytest.raises(OSError, match=r"b\.html"):
        write_whole(occupied, "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["b.html"]
