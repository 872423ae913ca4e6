import errno
import os

import pytest

from nfl_keras import files
from nfl_keras.errors import UserError
from nfl_keras.files import remove_partial, replacing, unfinished, write_whole


def write_folder(path, content, **how):
    with replacing(path, **how) as partial:
        (partial / "below").mkdir(parents=True)
        (partial / "below" / "data").write_text(content)


def failing(path, error, exist_ok=True):
    with replacing(path, exist_ok) as partial:
        partial.write_text("half")
        raise error


def no_links(*_):
    raise PermissionError("no hard links here")


def test_text_arrives_whole_in_a_new_folder(tmp_path):
    path = write_whole(str(tmp_path / "a" / "b.html"), "é\n✓")
    assert path.read_bytes() == "é\n✓".encode()
    assert os.listdir(path.parent) == ["b.html"]


def test_bytes_arrive_as_they_are_and_no_text_is_refused(tmp_path):
    assert write_whole(tmp_path / "a", b"\xff\r\n").read_bytes() == b"\xff\r\n"
    assert write_whole(tmp_path / "a", "\udcff").read_bytes() == b"?"


def test_old_file_is_replaced(tmp_path):
    path = tmp_path / "b.html"
    path.write_text("old and longer")
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_a_folder_arrives_whole(tmp_path):
    write_folder(tmp_path / "new" / "1", "whole")
    assert (tmp_path / "new" / "1" / "below" / "data").read_text() == "whole"
    assert os.listdir(tmp_path / "new") == ["1"]


def test_nothing_is_left_where_it_cannot_be_put(tmp_path):
    occupied = tmp_path / "b.html"
    occupied.mkdir()
    (occupied / "x").touch()
    with pytest.raises(OSError, match=r"b\.html"):
        write_whole(occupied, "new")
    assert os.listdir(tmp_path) == ["b.html"]
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        write_whole(tmp_path / "file" / "b.html", "new", exist_ok=False)


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("exist_ok", [True, False])
def test_after_an_error_the_old_is_there_and_nothing_else(tmp_path, error, exist_ok):
    write_whole(tmp_path / "old", "old")
    with pytest.raises(error):
        failing(tmp_path / "old", error, exist_ok)
    with pytest.raises(error):
        failing(tmp_path / "new" / "folder" / "file", error, exist_ok)
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "old"


def test_while_it_is_written_nobody_sees_it(tmp_path):
    path = tmp_path / "model.keras"
    write_whole(path, "old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.suffix == ".keras"
        assert partial.parent == tmp_path
        with replacing(path) as of_another:
            assert of_another != partial
            of_another.write_text("another's")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["model.keras"]


@pytest.mark.parametrize("links", [True, False])
def test_what_must_not_exist_is_not_replaced(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(files.os, "link", no_links)
    write_whole(tmp_path / "file", "first", exist_ok=False)
    write_folder(tmp_path / "folder", "first", exist_ok=False)
    with pytest.raises(FileExistsError, match="file"):
        write_whole(tmp_path / "file", "second", exist_ok=False)
    with pytest.raises(FileExistsError, match="folder"):
        write_folder(tmp_path / "folder", "second", exist_ok=False)
    assert (tmp_path / "file").read_text() == "first"
    assert (tmp_path / "folder" / "below" / "data").read_text() == "first"
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_of_two_that_write_a_new_file_the_first_one_wins(tmp_path):
    def race():
        with replacing(tmp_path / "file", exist_ok=False) as partial:
            partial.write_text("slower")
            write_whole(tmp_path / "file", "faster", exist_ok=False)

    with pytest.raises(FileExistsError):
        race()
    assert (tmp_path / "file").read_text() == "faster"


@pytest.fixture
def disk(monkeypatch):
    """What is flushed and moved, in order: the names of files and `"move"`."""
    done = []

    def watch(name, note):
        function = getattr(os, name)

        def watched(*arguments):
            done.append(note(*arguments))
            return function(*arguments)

        monkeypatch.setattr(files.os, name, watched)

    watch("fsync", lambda descriptor: os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
    for name in ("replace", "rename", "link"):
        watch(name, lambda *_: "move")
    return done


@pytest.mark.parametrize("exist_ok", [True, False])
def test_all_is_on_the_disk_before_it_has_its_name_and_the_name_after(tmp_path, disk, exist_ok):
    with replacing(tmp_path / "file", exist_ok) as partial:
        partial.write_text("new")
    assert disk == [partial.name, "move", tmp_path.name]


def test_every_file_of_a_folder_is_on_the_disk_before_it_has_its_name(tmp_path, disk):
    with replacing(tmp_path / "folder") as partial:
        (partial / "below").mkdir(parents=True)
        (partial / "below" / "data").touch()
    assert set(disk[:3]) == {"data", "below", partial.name}
    assert disk[3:] == ["move", tmp_path.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line_and_leaves_the_old(tmp_path, monkeypatch, code):
    def full(descriptor):
        raise OSError(code, os.strerror(code))

    write_whole(tmp_path / "file", "old")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(UserError, match="the disk is full") as refused:
        write_whole(tmp_path / "file", "new")
    assert repr(str(tmp_path / "file")) in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(UserError, match="the disk is full"):
        write_folder(tmp_path / "new" / "folder", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def refuse(monkeypatch, function, code, kind):
    """Lets a function of `os` fail for all folders, or for all files."""
    works = getattr(os, function)

    def fails(path, *arguments):
        if kind(path):
            raise OSError(code, os.strerror(code))
        return works(path, *arguments)

    monkeypatch.setattr(files.os, function, fails)


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("fsync", errno.EINVAL),  # SMB, sshfs, and FUSE drives of cloud storage
        ("fsync", errno.ENOTSUP),
        ("fsync", errno.ENOSYS),
        ("fsync", errno.EBADF),
        ("open", errno.EACCES),
        ("open", errno.EPERM),
    ],
)
@pytest.mark.parametrize("exist_ok", [True, False])
def test_a_drive_that_cannot_flush_folders_is_written_to(
    tmp_path, monkeypatch, function, code, exist_ok
):
    refuse(monkeypatch, function, code, os.path.isdir)
    write_whole(tmp_path / "file", "whole", exist_ok)
    write_folder(tmp_path / "folder", "whole", exist_ok=exist_ok)
    assert (tmp_path / "file").read_text() == "whole"
    assert (tmp_path / "folder" / "below" / "data").read_text() == "whole"


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.EINVAL, os.path.isfile), (errno.EIO, os.path.isdir)]
)
def test_a_flush_that_counts_is_not_passed_over(tmp_path, monkeypatch, code, kind):
    refuse(monkeypatch, "fsync", code, kind)
    with pytest.raises(OSError, match=os.strerror(code)):
        write_folder(tmp_path / "folder", "new")
    assert os.listdir(tmp_path) == []


def test_what_nobody_moved_is_removed(tmp_path):
    with unfinished(tmp_path / "new" / "file") as partial:
        partial.write_text("half")
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_removed(tmp_path):
    with replacing(tmp_path / "file") as partial:
        partial.write_text("half")
        partial.with_name(f"{partial.name}-killed").write_text("half")
        partial.with_name(f"{partial.name}-folder").mkdir()
    assert len(os.listdir(tmp_path)) == 3
    remove_partial(tmp_path)
    assert os.listdir(tmp_path) == ["file"]
