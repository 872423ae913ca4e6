"""A commit in Milvus is seen whole or not at all, and costs what has changed."""

import json
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pyarrow as pa
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.milvus import connection
from nfl_keras.gallery.storage.milvus.milvus_store import MilvusStore
from nfl_keras.gallery.storage.milvus.records import Records
from nfl_keras.gallery.storage.milvus.rows import Rows
from nfl_keras.gallery.storage.open_store import open_store

MANIFEST = Manifest("none", [[1.0, 0.0]], 3, "float32", None)


def items(numbers, **more):
    ids = [f"{number:03d}" for number in numbers]
    return pa.table({"id": ids, "label": ids, **more})


def commit(store, numbers, left_out=(), **more):
    """Writes photographs whose ids and vectors say their numbers."""
    vectors = np.array([[number, 1] for number in numbers], "float32")
    with store.locked():
        store.commit(MANIFEST, items(numbers, **more), items(left_out), vectors)


def holds(contents, numbers):
    assert contents.items["id"].to_pylist() == [f"{number:03d}" for number in numbers]
    assert contents.vectors[:].tolist() == [[number, 1] for number in numbers]
    query = np.array([[0.0, 1.0]], "float32")
    assert len(contents.search(query, len(numbers)).items) == len(numbers)
    return True


@pytest.fixture
def store(milvus, request):
    return open_store(milvus(re.sub(r"\W", "_", request.node.name)))


def test_only_what_differs_is_sent(store, monkeypatch):
    commit(store, range(10))
    sent = []
    insert = Rows.insert

    def noted(self, items, vectors, positions, first, born):
        sent.extend(items["id"].take(positions).to_pylist())
        insert(self, items, vectors, positions, first, born)

    monkeypatch.setattr(Rows, "insert", noted)
    commit(store, [*range(2, 10), 11])
    assert sent == ["011"]
    holds(store.read(), [*range(2, 10), 11])
    sent.clear()
    vectors = np.array([[2, 1], [3, 1]], "float32")
    with store.locked():
        changed = items([2, 3]).set_column(1, "label", [["002", "other"]])
        store.commit(MANIFEST, changed, items([]), vectors)
    assert sent == ["003"]
    assert store.read().items["label"].to_pylist() == ["002", "other"]


def test_an_open_gallery_outlasts_one_index_but_not_two(store):
    commit(store, range(5))
    opened = store.read()
    commit(store, range(3, 8))
    holds(opened, range(5))
    again = store.read()
    commit(store, range(3, 9), color=["red"] * 6)  # Another schema, thus another collection.
    holds(again, range(3, 8))
    with pytest.raises(UserError, match="has been indexed twice since it was opened"):
        opened.search(np.eye(2, dtype="float32"), 2)
    commit(store, range(3, 9), color=["red"] * 6)
    with pytest.raises(UserError, match="Milvus refuses query"):
        again.vectors_of(["004"])
    assert store.read().items["color"].to_pylist() == ["red"] * 6


@pytest.mark.parametrize("method", ["insert", "end", "write_state"])
def test_readers_see_nothing_of_a_commit_that_failed(store, method, monkeypatch):
    commit(store, range(5), left_out=[90])
    owner = Records if method == "write_state" else Rows
    done = getattr(owner, method)

    def failing(self, *arguments):
        if method != "write_state":
            done(self, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, failing)
        with pytest.raises(KeyboardInterrupt):
            commit(store, range(2, 8), left_out=[91])
    holds(store.read(), range(5))
    assert store.read().left_out["id"].to_pylist() == ["090"]
    # What the failed commit ended is there again.
    commit(store, range(7))
    holds(store.read(), range(7))


def test_a_killed_process_leaves_a_whole_gallery(tmp_path):
    uri = f"milvus://{tmp_path}/killed.db/gallery"
    script = f"""
        import os, signal, sys
        sys.path.insert(0, {str(__file__).rpartition("/")[0]!r})
        import test_milvus_store as test
        store = test.open_store({uri!r})
        test.commit(store, range(5))
        test.Records.write_state = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        test.commit(store, range(2, 8))
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_store(uri).locked() as store:  # The first that a new process asks for.
        holds(store.read(), range(5))
    commit(store, range(2, 8))
    holds(store.read(), range(2, 8))


def test_many_that_are_left_out_come_back(store):
    ids = [f"{number:05d}-{hash(str(number))}" for number in range(6000)]
    left_out = pa.table({"id": ids, "reason": ids})
    with store.locked():
        store.commit(MANIFEST, items([1]), left_out, np.ones((1, 2), "float32"))
    assert store.read().left_out.equals(left_out)


def test_a_writer_on_another_machine_is_refused_for_a_day(store):
    commit(store, range(2))
    records = store._records
    other = {"host": "other.example", "process": 7, "since": time.time()}
    records.put("writer", json.dumps(other))
    with pytest.raises(UserError, match=r"another process writes .*on other.example, process 7"):
        commit(store, range(3))
    records.put("writer", json.dumps({**other, "since": time.time() - 90_000}))
    commit(store, range(3))
    assert records.get("writer") is None


def test_an_index_that_is_not_exact_is_said_when_a_gallery_is_opened(store, capsys):
    commit(store, range(5))
    store.read()
    assert "searches are exact (index FLAT)" in capsys.readouterr().err
    ask, name = store._ask, store._state().rows
    ask("release_collection", name)
    ask("drop_index", name, "vector")
    Rows(ask, name, None, 2)._index("vector", index_type="HNSW", metric_type="IP", M="16")
    store.read()
    assert "searches are approximate (index HNSW)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "e30=", "eJyrrgUAAXUA+Q=="])
def test_a_state_of_another_kind_is_refused(store, text):
    commit(store, range(2))
    store._records.put("state", text)
    with pytest.raises(UserError, match="is not what nfl-keras index wrote"):
        store.read()


def test_lost_rows_are_noticed(store):
    commit(store, range(5))
    store._ask("delete", store._state().rows, filter="number == 3")
    with pytest.raises(UserError, match="holds 4 photographs of the gallery's 5"):
        store.read()


def test_a_gallery_that_is_not_there_makes_no_database(tmp_path):
    with pytest.raises(UserError, match="is not a gallery"):
        open_store(f"milvus://{tmp_path}/none.db/gallery").read()
    assert not (tmp_path / "none.db").exists()


def test_a_server_that_is_not_there_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(connection, "_SECONDS", 1)
    monkeypatch.setenv("MILVUS_TOKEN", "secret")
    with pytest.raises(UserError, match="check that it runs") as refused:
        MilvusStore(open_store("milvus://127.0.0.1:1/gallery")._address).read()
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
