import os

import numpy as np
import pytest

from nfl_keras.data.sources import file_set as module
from nfl_keras.data.sources.file_set import file_set
from nfl_keras.errors import UserError


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(f"bytes of {name}".encode())


def read(root, name):
    return file_set(root, [name], [0], ["class"]).read(0)


def refusal(root, name):
    with pytest.raises(UserError) as refused:
        read(root, name)
    assert repr(name) in str(refused.value)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_ids_labels_and_bytes(tmp_path):
    names = ["a.jpg", "sub folder/é 1.png", "蘭/b.jpg"]
    write(tmp_path, *names)
    image_set = file_set(str(tmp_path), names, [1, 0, 1], ["x", "y"], ["train", "test", "query"])
    assert image_set.ids.tolist() == names
    assert image_set.labels.tolist() == [1, 0, 1]
    assert image_set.class_names == ("x", "y")
    assert image_set.own_split.tolist() == ["train", "test", "query"]
    assert [image_set.read(i) for i in range(3)] == [f"bytes of {n}".encode() for n in names]


def test_the_index_is_the_array_of_ids(tmp_path):
    names = np.array(["a.jpg", "b.jpg"])
    image_set = file_set(tmp_path, names, [0, 0], ["x"])
    assert image_set.ids is names
    held = [cell.cell_contents for cell in image_set.read.__closure__]
    assert sorted(map(type, held), key=str) == [np.ndarray, str]
    assert any(value is names for value in held)


def test_the_working_directory_may_change(tmp_path, monkeypatch):
    write(tmp_path, "photographs/a.jpg")
    monkeypatch.chdir(tmp_path)
    image_set = file_set("photographs", ["a.jpg"], [0], ["x"])
    monkeypatch.chdir("/")
    assert image_set.read(0) == b"bytes of photographs/a.jpg"


def test_links_within_the_root_and_a_root_that_is_a_link(tmp_path):
    write(tmp_path, "real/a.jpg")
    (tmp_path / "real" / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "link").symlink_to("real")
    assert read(tmp_path / "link", "b.jpg") == b"bytes of real/a.jpg"


@pytest.mark.parametrize("name", ["../a.jpg", "sub/../../a.jpg", "../root2/a.jpg"])
def test_names_that_climb_out_are_refused(tmp_path, name):
    write(tmp_path, "a.jpg", "root2/a.jpg", "root/sub/b.jpg")
    assert "leads out of" in refusal(tmp_path / "root", name)


def test_absolute_names_are_refused(tmp_path):
    write(tmp_path, "a.jpg", "root/b.jpg")
    assert "leads out of" in refusal(tmp_path / "root", str(tmp_path / "a.jpg"))


def test_links_that_lead_out_are_refused(tmp_path):
    write(tmp_path, "outside/a.jpg", "root/b.jpg")
    (tmp_path / "root" / "file.jpg").symlink_to(tmp_path / "outside" / "a.jpg")
    (tmp_path / "root" / "folder").symlink_to("../outside")
    (tmp_path / "root" / "twice.jpg").symlink_to("file.jpg")
    for name in ("file.jpg", "folder/a.jpg", "twice.jpg"):
        message = refusal(tmp_path / "root", name)
        assert "leads out of" in message
        assert str(tmp_path / "outside" / "a.jpg") in message


def test_links_are_looked_at_when_read(tmp_path):
    write(tmp_path, "a.jpg", "root/b.jpg")
    image_set = file_set(tmp_path / "root", ["b.jpg"], [0], ["x"])
    (tmp_path / "root" / "b.jpg").unlink()
    (tmp_path / "root" / "b.jpg").symlink_to("../a.jpg")
    with pytest.raises(UserError, match="leads out of"):
        image_set.read(0)


def test_missing_files_folders_loops_and_pipes_are_refused(tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "No such file" in refusal(tmp_path, "a.jpg")
    assert "No such file" in refusal(tmp_path / "nowhere", "a.jpg")
    assert "cannot be read" in refusal(tmp_path, "loop.jpg")
    assert "not a file" in refusal(tmp_path, "folder.jpg")
    assert "not a file" in refusal(tmp_path, "pipe.jpg")
    assert "correct its name" in refusal(tmp_path, "a\0b.jpg")


def test_files_without_permission_are_refused(tmp_path, monkeypatch):
    write(tmp_path, "a.jpg")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    assert "Permission denied" in refusal(tmp_path, "a.jpg")


def test_files_above_the_limit_are_refused(tmp_path, monkeypatch):
    assert module.MAX_BYTES == 256 * 1024 * 1024
    (tmp_path / "huge.jpg").touch()
    os.truncate(tmp_path / "huge.jpg", module.MAX_BYTES + 1)
    assert "268,435,457 bytes" in refusal(tmp_path, "huge.jpg")
    write(tmp_path, "a.jpg")
    monkeypatch.setattr(module, "MAX_BYTES", len("bytes of a.jpg"))
    assert read(tmp_path, "a.jpg") == b"bytes of a.jpg"
