import os

import numpy as np
import pytest

from nfl_keras.errors import UserError
from nfl_keras.training.checkpoint_files import (
    read_checkpoint,
    remove_checkpoints,
    write_checkpoint,
)

ARRAYS = [
    np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32),
    np.array(2**60 + 1),
    np.zeros((0, 2), np.uint32),
]


def write(folder, *steps):
    for step in steps:
        write_checkpoint(folder, step, {"step": step, "mAP": np.float32(0.1)}, ARRAYS)


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / "new" / "folder", 7)
    state, arrays = read_checkpoint(tmp_path / "new" / "folder")
    assert state == {"step": 7, "mAP": float(np.float32(0.1))}
    for array, expected in zip(arrays, ARRAYS, strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


def test_the_latest_two_are_kept_and_the_newest_is_read(tmp_path):
    write(tmp_path, 8, 9, 10, 11)
    assert sorted(path.name[:15] for path in tmp_path.iterdir()) == [
        "step-0000000010",
        "step-0000000011",
    ]
    assert read_checkpoint(tmp_path)[0]["step"] == 11


def test_where_none_is_there_is_none(tmp_path):
    assert read_checkpoint(tmp_path) is None
    assert read_checkpoint(tmp_path / "gone") is None


def cut(content, rng):
    return content[: rng.integers(len(content))]


def flip_a_bit(content, rng):
    place = rng.integers(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.integers(8)]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flip_a_bit])
def test_one_that_is_torn_gives_way_to_the_one_before_it(tmp_path, damage, capsys):
    rng = np.random.default_rng(0)
    for number in range(20):
        folder = tmp_path / str(number)
        write(folder, 1, 2)
        torn = max(folder.iterdir())
        torn.write_bytes(damage(torn.read_bytes(), rng))
        assert read_checkpoint(folder)[0]["step"] == 1
        assert not torn.exists()
        assert capsys.readouterr().out.startswith(f"{torn.name} is torn")


def test_where_every_one_is_torn_they_are_named(tmp_path):
    write(tmp_path, 1, 2)
    names = {path.name for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="is torn") as refused:
        read_checkpoint(tmp_path)
    assert all(name in str(refused.value) for name in names)
    assert "\n" not in str(refused.value)
    assert {path.name for path in tmp_path.iterdir()} == names


def test_before_it_has_its_name_it_lies_on_the_disk(tmp_path, monkeypatch):
    write(tmp_path, 1)
    flushed = []

    def stop(partial, target):
        flushed.append(partial.stat())
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor)))
    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, 2)
    before, moved = flushed
    assert os.path.samestat(before, moved)
    assert before.st_size == moved.st_size
    assert read_checkpoint(tmp_path)[0]["step"] == 1


def test_removed_nothing_is_left_but_what_is_another_s(tmp_path):
    write(tmp_path, 1, 2)
    (tmp_path / ".partial-0123abcd-step.npz").write_bytes(b"half")
    (tmp_path / "last.keras").write_bytes(b"model")
    remove_checkpoints(tmp_path)
    assert os.listdir(tmp_path) == ["last.keras"]


def test_an_array_of_objects_is_not_read(tmp_path):
    write_checkpoint(tmp_path, 1, {}, [np.array([{}], dtype=object)])
    with pytest.raises(ValueError, match="allow_pickle"):
        read_checkpoint(tmp_path)
