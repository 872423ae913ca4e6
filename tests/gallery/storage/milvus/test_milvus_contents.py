"""Milvus gives the answers of a folder, to the last bit."""

import numpy as np
import pyarrow as pa
import pytest

from nfl_keras.errors import UserError
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.milvus import milvus_contents
from nfl_keras.gallery.storage.open_store import open_store

COUNT = 600


def drawn():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((COUNT, 16)).astype("float32")
    vectors[rng.permutation(COUNT)[:60]] = vectors[0]  # More copies than there are candidates.
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def both(milvus, tmp_path_factory):
    """The same photographs, in a folder and in Milvus."""
    vectors = drawn()
    order = np.random.default_rng(1).permutation(COUNT)
    items = pa.table(
        {
            "id": sorted(f"{number}.jpg" for number in range(COUNT)),
            "label": [f"class {number % 7}" for number in order],
            "bytes": pa.nulls(COUNT, pa.int64()),
            "modified": pa.nulls(COUNT, pa.int64()),
            "sha256": pa.nulls(COUNT, pa.binary(32)),
        }
    )
    manifest = Manifest("none", [[1.0] + [0.0] * 15], 3, "float32", None)
    opened = []
    for uri in (tmp_path_factory.mktemp("folder") / "gallery", milvus("both")):
        with open_store(uri).locked() as store:
            store.commit(manifest, items, items.slice(0, 0), vectors)
        opened.append(store.read())
    return opened


@pytest.mark.parametrize("where", [None, "label = class 3", "label = none"])
@pytest.mark.parametrize("k", [1, 10, 70])
def test_answers_are_those_of_a_folder(both, k, where, monkeypatch):
    monkeypatch.setattr(milvus_contents, "_CANDIDATES", 100)
    queries = np.concatenate([drawn()[:3], drawn()[::50]])
    folder, milvus = (kept.search(queries, k, where) for kept in both)
    np.testing.assert_array_equal(milvus.similarities, folder.similarities)
    for mine, its in zip(milvus.positions, folder.positions, strict=True):
        assert (mine < 0).tolist() == (its < 0).tolist()
        mine, its = mine[mine >= 0], its[its >= 0]
        assert milvus.items.take(mine).to_pylist() == folder.items.take(its).to_pylist()
        np.testing.assert_array_equal(milvus.vectors[mine], folder.vectors[its])


def test_vectors_and_items_are_those_that_were_written(both):
    folder, milvus = both
    assert milvus.items.equals(folder.items)
    some = np.array([599, 0, 0, 7])
    np.testing.assert_array_equal(milvus.vectors[some], folder.vectors[some])  # Fetched.
    np.testing.assert_array_equal(milvus.vectors[5:590], folder.vectors[5:590])  # Copied.
    np.testing.assert_array_equal(milvus.vectors[some], folder.vectors[some])
    ids = ["5.jpg", "10.jpg"]
    np.testing.assert_array_equal(milvus.vectors_of(ids), folder.vectors_of(ids))
    assert milvus.vectors_of([]).shape == (0, 16)


def test_more_answers_than_milvus_gives_are_refused(both):
    with pytest.raises(UserError, match="Milvus gives at most 16,376 answers, not 16,377"):
        both[1].search(drawn()[:1], 16377)
