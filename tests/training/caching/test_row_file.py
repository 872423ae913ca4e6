import json
import threading

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
    return RowFile(tmp_path / "new", "rows", "key", DTYPE, (10,))


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
    again = RowFile(begun.path.parent, "rows", "key", DTYPE, (10,))
    before = again.seconds
    assert fill(again)[1] == [6]
    assert again.seconds > before > 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.with_suffix(".json").write_text("{"),
        lambda path: path.with_suffix(".json").write_text("[]"),
    ],
    ids=["removed", "truncated", "torn", "foreign"],
)
def test_a_spoiled_file_is_computed_anew(begun, spoil):
    spoil(begun.path)
    assert fill(begun)[1] == [0]


@pytest.mark.parametrize(
    ("key", "dtype"),
    [("other", DTYPE), ("key", np.dtype([("square", "f8", (2,)), ("number", "i4")]))],
    ids=["key", "dtype"],
)
def test_rows_of_anything_else_have_a_file_of_their_own(begun, key, dtype):
    other = RowFile(begun.path.parent, "rows", key, dtype, (10,))
    assert fill(other)[1] == [0]
    assert fill(begun)[1] == [6]


def test_a_note_of_rows_that_were_removed_does_not_count_those_made_anew(begun, monkeypatch):
    begun.path.unlink()
    with monkeypatch.context() as killed:  # Before it can note a row.
        killed.setattr(RowFile, "_note", lambda *arguments: None)
        with pytest.raises(StopError):
            begun.fill(stopped, "rows")
    assert fill(begun)[1] == [0]


def test_rows_that_are_removed_stay_with_those_who_have_them(file):
    rows, _ = fill(file)
    file.remove()
    assert rows["number"].tolist() == list(range(10))
    assert fill(file)[1] == [0]


@pytest.mark.skipif(row_file.fcntl is None, reason="this system has no lock")
def test_of_two_at_once_one_computes_and_the_other_waits(file, capfd):
    begins, waits = threading.Event(), threading.Event()
    computed = []

    def slowly(first):
        begins.set()
        assert waits.wait(60)
        for rows in squares(first):
            computed.extend(rows["number"])
            yield rows

    one = threading.Thread(target=file.fill, args=(slowly, "rows"))
    one.start()
    assert begins.wait(60)
    other = RowFile(file.path.parent, "rows", "key", DTYPE, (10,))
    threads = [one, threading.Thread(target=other.fill, args=(slowly, "rows"))]
    threads[1].start()
    printed = ""
    while "waiting for another run, which computes " not in printed:
        assert threads[1].is_alive()
        printed += capfd.readouterr().out
    waits.set()
    for thread in threads:
        thread.join(60)
    assert computed == list(range(10))
    assert fill(file)[1] == []


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
