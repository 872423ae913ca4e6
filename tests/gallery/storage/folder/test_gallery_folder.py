"""What lies in a gallery's folder is checked before it is used."""

import json
import threading

import numpy as np
import pyarrow as pa
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.folder import mapped_vectors
from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
from nfl_keras.gallery.storage.folder.mapped_vectors import MappedVectors, write_vectors
from nfl_keras.gallery.storage.manifest import Manifest


def manifest():
    return Manifest("model", [[1.0, 0.0]], 3, "float32", None)


def commit(folder, count):
    """Writes `count` items whose ids and vectors say how many there are."""
    ids = pa.array([f"{count}-{i:03d}" for i in range(count)], pa.string())
    items = pa.table({"id": ids, "label": pa.nulls(count, pa.string())})
    with folder.locked():
        folder.commit(manifest(), items, items.slice(0, 0), np.full((count, 2), count, "float32"))


@pytest.fixture
def folder(tmp_path):
    made = GalleryFolder(tmp_path / "gallery")
    commit(made, 3)
    return made


def test_a_commit_replaces_all_files_and_old_readers_keep_theirs(folder):
    old = folder.read()
    commit(folder, 4)
    assert (old.vectors[:] == 3).all()
    new = folder.read()
    assert (len(new.items), new.manifest.commit, new.vectors[:].tolist()) == (4, 2, [[4, 4]] * 4)
    names = {path.name for path in folder.path.iterdir()}
    of_commit = {"items-2.parquet", "left_out-2.parquet", "vectors-2.npy"}
    assert names == of_commit | {"lock", "manifest.json"}


def test_readers_see_the_old_or_the_new_while_a_writer_commits(folder):
    seen, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            contents = folder.read()
            count = len(contents.items)
            assert (contents.vectors[:] == count).all()
            assert set(contents.items["id"].to_pylist()) == {
                f"{count}-{i:03d}" for i in range(count)
            }
            seen.add(count)

    failures = []

    def guarded():
        try:
            read()
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=guarded) for _ in range(2)]
    for reader in readers:
        reader.start()
    for count in range(4, 40):
        commit(folder, count)
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert len(seen) > 1


@pytest.mark.parametrize("name", ["items-1.parquet", "vectors-1.npy", "left_out-1.parquet"])
def test_a_lost_or_damaged_file_is_named(folder, name):
    (folder.path / name).write_bytes(b"damaged")
    with pytest.raises(UserError, match="is not what"):
        folder.read()
    (folder.path / name).unlink()
    with pytest.raises(UserError, match=f"has lost the file .*{name}"):
        folder.read()


@pytest.mark.parametrize("text", ["[]", "{", '{"format": 2}', '{"format": 1, "code": "x"}'])
def test_a_manifest_of_another_kind_is_refused(folder, text):
    (folder.path / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"manifest.json' is not what nfl-keras index wrote"):
        folder.read()


def test_files_that_do_not_fit_are_refused(folder):
    path = folder.path / "manifest.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "count": 5}))
    with pytest.raises(UserError, match="do not fit each other"):
        folder.read()


def test_what_a_killed_writer_left_is_removed_by_the_next(folder):
    left = [folder.path / "vectors-2.npy", folder.path / ".partial-0-items-2.parquet"]
    for path in left:
        path.touch()
    with folder.locked():
        assert not any(path.exists() for path in left)
    assert len(folder.read().items) == 3


def test_an_array_of_objects_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="is not what the gallery wrote"):
        MappedVectors(tmp_path / "a.npy")


@pytest.mark.parametrize("block_bytes", [1, 2**28])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_mapped_vectors_are_those_that_were_written(tmp_path, dtype, block_bytes, monkeypatch):
    monkeypatch.setattr(mapped_vectors, "_BLOCK_BYTES", block_bytes)
    rows = np.random.default_rng(0).standard_normal((10, 4)).astype(dtype)
    write_vectors(tmp_path / "a.npy", [rows[:7], rows[7:]], 10, 4, dtype)
    mapped = MappedVectors(tmp_path / "a.npy")
    assert (len(mapped), mapped.shape, mapped.dtype) == (10, (10, 4), dtype)
    first = mapped[2:5]
    np.testing.assert_array_equal(mapped[np.array([9, 0])], rows[[9, 0]])
    np.testing.assert_array_equal(first, rows[2:5])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), rows)
