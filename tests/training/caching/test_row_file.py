import json

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.caching import row_file
from nfl_keras.training.caching.row_file import RowFile

DTYPE = np.dtype([("square", "f4", (2,)), ("number", "i4")])


class StopError(Exception):
    pass


def squares(first, last=10, size=3):
    for begin in range(first, last, size):
        numbers = np.arange(begin, min(begin + size, last))
        rows = np.zeros(len(numbers), DTYPE)
        rows["square"], rows["number"] = numbers[:, None] ** 2, numbers
        yield rows


def stopped(first):
    yield from squares(first, last=6)
    raise StopError


@pytest.fixture
def file(tmp_path):
    return RowFile(tmp_path / "new" / "rows.npy", "key", DTYPE, (10,))


@pytest.fixture
def begun(file):
    """A file whose computation was stopped after 6 of its 10 rows."""
    with pytest.raises(StopError):
        file.fill(stopped, "rows")
    return file


def fill(file):
    """The rows, and the number of the first that was computed."""
    firsts = []
    rows = file.fill(lambda first: firsts.append(first) or squares(first), "rows")
    assert rows["number"].tolist() == list(range(10))
    assert rows["square"][:, 1].tolist() == [n**2 for n in range(10)]
    return rows, firsts


def test_rows_are_computed_once(file):
    rows, firsts = fill(file)
    assert firsts == [0]
    assert fill(file)[1] == []
    assert file.bytes == rows.nbytes
    with pytest.raises(ValueError, match="read-only"):
        rows["number"] = 0


def test_a_stopped_computation_resumes_with_the_next_row(begun):
    assert begun.bytes_missing == 0
    again = RowFile(begun.path, "key", DTYPE, (10,))
    before = again.seconds
    assert fill(again)[1] == [6]
    assert again.seconds > before > 0


@pytest.mark.parametrize(
    ("key", "dtype", "spoil"),
    [
        ("other", DTYPE, lambda path: None),
        ("key", np.dtype([("square", "f8", (2,)), ("number", "i4")]), lambda path: None),
        ("key", DTYPE, lambda path: path.unlink()),
        ("key", DTYPE, lambda path: path.write_bytes(path.read_bytes()[:100])),
        ("key", DTYPE, lambda path: path.with_suffix(".json").write_text("{")),
        ("key", DTYPE, lambda path: path.with_suffix(".json").write_text("[]")),
    ],
    ids=["key", "dtype", "removed", "truncated", "torn", "foreign"],
)
def test_rows_of_anything_else_are_computed_anew(begun, key, dtype, spoil):
    spoil(begun.path)
    assert fill(RowFile(begun.path, key, dtype, (10,)))[1] == [0]


def test_the_rows_of_a_stopped_computation_count_as_done(begun, shown_lines):
    fill(begun)
    assert shown_lines() == ["9 of 10 rows"]


def test_rows_are_flushed_while_others_are_computed(file, monkeypatch):
    monkeypatch.setattr(row_file, "_EVERY", -1.0)
    noted = []

    def watched(first):
        for rows in squares(first):
            yield rows
            noted.append(json.loads(file.path.with_suffix(".json").read_text())["done"])

    file.fill(watched, "rows")
    assert noted == [3, 6, 9, 10]


def test_a_full_disk_is_one_line(file, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(row_file.os, "posix_fallocate", full)
    with pytest.raises(UserError, match=r"no room for 0 MB in .* \(No space left on device\)"):
        fill(file)
    assert not file.path.exists()
