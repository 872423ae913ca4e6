import errno
import os

import pytest

from nfl_keras import files
from nfl_keras.errors import UserError
from nfl_keras.servable.version_folder import new_version, versions_in


def write(base, version=None, content="whole"):
    with new_version(base, version) as (folder, number):
        (folder / "variables").mkdir()
        (folder / "variables" / "data").write_text(content)
    return number


def test_versions_count_up_from_the_highest(tmp_path):
    base = tmp_path / "served" / "embedder"
    assert versions_in(base) == {}
    assert [write(base), write(base), write(base, 7), write(base)] == [1, 2, 7, 8]
    assert list(versions_in(base)) == [1, 2, 7, 8]
    assert sorted(os.listdir(base)) == ["1", "2", "7", "8"]
    assert (base / "8" / "variables" / "data").read_text() == "whole"


def test_other_folders_are_no_versions(tmp_path):
    for name in ("0", "-1", "1.5", "two", "٣", ".partial-9-ab", "12", "3"):
        (tmp_path / name).mkdir()
    (tmp_path / "20").write_text("a file")
    assert list(versions_in(tmp_path).items()) == [(3, tmp_path / "3"), (12, tmp_path / "12")]


def test_nobody_sees_a_version_before_it_is_whole(tmp_path):
    with new_version(tmp_path) as (folder, version):
        assert (version, versions_in(tmp_path)) == (1, {})
        assert folder.parent == tmp_path
        assert folder.name.startswith(".partial-")
    assert list(versions_in(tmp_path)) == [1]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError, SystemExit])
@pytest.mark.parametrize("before", [False, True])
def test_after_an_error_nothing_is_left(tmp_path, error, before):
    base = tmp_path / "served" / "embedder"
    if before:
        write(base)

    def fail():
        with new_version(base) as (folder, _):
            (folder / "half").write_text("written")
            raise error

    with pytest.raises(error):
        fail()
    assert list(versions_in(base)) == [1] * before
    if before:
        assert os.listdir(base) == ["1"]
    else:
        assert os.listdir(tmp_path) == []


def test_a_version_that_is_there_is_not_replaced(tmp_path):
    write(tmp_path, 3, "first")
    with pytest.raises(UserError, match=r"there is a version 3 in .*leave out the number"):
        write(tmp_path, 3, "second")
    assert (tmp_path / "3" / "variables" / "data").read_text() == "first"


def test_a_version_that_another_has_written_meanwhile_is_not_replaced(tmp_path):
    def race():
        with new_version(tmp_path) as (folder, version):
            (folder / "data").write_text("slower")
            write(tmp_path, version, "faster")

    fault = r"cannot write version 1 .*\(another export has just written it\)"
    with pytest.raises(UserError, match=fault):
        race()
    assert os.listdir(tmp_path) == ["1"]
    assert (tmp_path / "1" / "variables" / "data").read_text() == "faster"


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "_flush", full)
    with pytest.raises(UserError, match=r"\(No space left on device\)"):
        write(tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write version 1"):
        write(tmp_path / "file" / "embedder")
    assert (tmp_path / "file").read_text() == "in the way"
