import os

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nfl_keras as nfl
from nfl_keras.errors import UserError
from nfl_keras.gallery.photographs import find_photographs, unchanged


def refusal(images):
    with pytest.raises(UserError) as refused:
        find_photographs(images)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_folder_gives_sizes_times_and_the_names_of_folders(images):
    found = find_photographs(images)
    assert found.root == os.path.realpath(images)
    for row, item in enumerate(found.items.to_pylist()):
        status = (images / item["id"]).stat()
        assert (item["bytes"], item["modified"]) == (status.st_size, status.st_mtime_ns)
        assert found.read(row) == (images / item["id"]).read_bytes()
    assert found.items["id"].to_pylist() == sorted(found.items["id"].to_pylist())


def test_a_table_keeps_its_types_and_finds_gone_files_out_later(images):
    columns = {
        "Path": ["red\\1.png", "gone.png", "loose.png"],
        "label": pyarrow.array([1, 2, 3]),
        "sold": [True, None, False],
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), images / "catalog.parquet")
    found = find_photographs(images / "catalog.parquet")
    assert found.items.column_names == ["id", "label", "sold", "bytes", "modified"]
    assert found.items["id"].to_pylist() == ["gone.png", "loose.png", "red/1.png"]
    assert found.items["label"].to_pylist() == ["2", "3", "1"]
    assert found.items["sold"].type == pyarrow.bool_()
    assert found.items["bytes"].to_pylist()[0] is None
    with pytest.raises(UserError, match="cannot be read"):
        found.read(0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("path\n../secret.png", "row 1 is '../secret.png'; it must lie below the table's folder"),
        ("path\n/etc/passwd", "it must lie below the table's folder"),
        ("path\na.png\n./a.png", "has 'a.png' twice; remove one"),
        ("path,sha256\na.png,1", "has the column 'sha256', which galleries fill themselves"),
        ("path,rank\na.png,1", "has the column 'rank', which galleries fill themselves"),
        ("file\na.png", "has no column 'path', but 'file'; required are path"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, rows, message):
    (tmp_path / "a.csv").write_text(rows)
    assert message in refusal(tmp_path / "a.csv")


def test_folders_that_hold_none(tmp_path):
    assert "there is no folder" in refusal(tmp_path / "gone")
    (tmp_path / "notes.txt").touch()
    assert "holds no photograph" in refusal(tmp_path)


def test_an_image_set_has_no_times():
    blooms = nfl.data.load("blooms", split="query").subset([5, 0, 300])
    found = find_photographs(blooms)
    assert found.root is None
    for row, name in enumerate(found.items["id"].to_pylist()):
        position = blooms.ids.tolist().index(name)
        assert found.read(row) == blooms.read(position)
        label = blooms.class_names[blooms.labels[position]]
        assert found.items["label"][row].as_py() == label
    assert found.items["bytes"].null_count == 3


@given(st.data())
def test_unchanged_are_those_of_the_same_name_size_and_time(data):
    number = st.one_of(st.none(), st.integers(0, 2))
    one = st.tuples(st.sampled_from("abcdef"), number, number)
    lists = st.lists(one, unique_by=lambda item: item[0], max_size=6)
    items, known = data.draw(lists), data.draw(lists)

    def table(rows):
        names, sizes, times = ([row[i] for row in rows] for i in range(3))
        kinds = {"id": pyarrow.string(), "bytes": pyarrow.int64(), "modified": pyarrow.int64()}
        columns = zip((names, sizes, times), kinds.values(), strict=True)
        return pyarrow.table(
            dict(zip(kinds, [pyarrow.array(c, k) for c, k in columns], strict=True))
        )

    expected = [known.index(i) if i in known and None not in i else -1 for i in items]
    np.testing.assert_array_equal(unchanged(table(items), table(known)), expected)
