import types

import numpy as np
import pytest

from nfl_keras.data import ImageSet
from nfl_keras.errors import UserError
from nfl_keras.retrieval import retrieval_task as module
from nfl_keras.retrieval.retrieval_task import RetrievalTask


def image_set(classes, start=0, description="made up", names="abcdef"):
    """Photographs numbered from `start`, one per letter of `classes`, with the label of `names`."""
    labels = np.array([names.index(name) for name in classes], int)
    ids = [f"{start + i}" for i in range(len(classes))]
    return ImageSet(ids, labels, names, lambda i: ids[i].encode(), description)


@pytest.fixture
def embeddings(monkeypatch):
    """Embeddings by id, and the ids of each set that was embedded."""
    embedded = types.SimpleNamespace(vectors={}, calls=[])

    def embed(embedder, image_set, crops):
        assert (embedder, crops) == ("embedder", 3)
        embedded.calls.append(image_set.ids.tolist())
        return np.array([embedded.vectors[name] for name in image_set.ids], np.float32)

    monkeypatch.setattr(module, "embed", embed)
    return embedded


def test_parts_of_one_set_keep_one_numbering():
    whole = image_set("cacbbca")
    task = RetrievalTask(whole.subset(range(3)), whole.subset(range(3, 7)))
    matches = task.query.labels[:, None] == task.gallery.labels
    assert matches.tolist() == [[q == g for g in "bbca"] for q in "cac"]


def test_sets_that_number_their_classes_differently_are_refused():
    with pytest.raises(UserError, match="different class names") as refused:
        RetrievalTask(image_set("ab", names="ab"), image_set("ab", start=10, names="ba"))
    assert "\n" not in str(refused.value)


def test_figures_are_of_classes_that_share_a_label(embeddings):
    task = RetrievalTask(image_set("cb"), image_set("abc", start=10))
    east, north, west = [1, 0], [0, 1], [-1, 0]
    embeddings.vectors = {"0": east, "1": north, "10": west, "11": north, "12": east}
    vectors = task.embed("embedder", crops=3)
    assert embeddings.calls == [["0", "1"], ["10", "11", "12"]]
    report = task.evaluate(*vectors)
    assert report.map == 1.0
    assert (report.num_queries, report.num_gallery) == (2, 3)
    assert report.protocol == task.description == "made up"
    embeddings.vectors["11"], embeddings.vectors["12"] = east, north
    # b comes last, behind c and a; c second, behind b.
    turned = task.evaluate(*task.embed("embedder", crops=3))
    assert turned.map == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_one_set_is_embedded_once_and_no_query_finds_itself(embeddings):
    # Two sets of the same photographs, as two splits of a dataset are.
    task = RetrievalTask(image_set("aabb"), image_set("aabb"))
    assert task.gallery is task.query
    embeddings.vectors = {"0": [1, 0], "1": [0, 1], "2": [1, 0], "3": [0, 1]}
    vectors = task.embed("embedder", crops=3)
    assert len(embeddings.calls) == 1
    report = task.evaluate(*vectors)
    # Each finds first the twin of another class, itself being left out.
    assert report.recall_at[1] == 0.0
    assert report.num_gallery == 4


def test_the_same_photographs_in_another_order_are_another_set(embeddings):
    whole = image_set("aabb")
    task = RetrievalTask(whole, whole.subset([3, 2, 1, 0]))
    assert task.gallery is not task.query
    embeddings.vectors = {"0": [1, 0], "1": [0, 1], "2": [1, 0], "3": [0, 1]}
    assert task.evaluate(*task.embed("embedder", crops=3)).recall_at[1] == 0.0


@pytest.mark.parametrize(
    ("query", "gallery"),
    [
        (image_set("abcd"), image_set("abcd")),  # each alone, but for itself
        (image_set("abcd"), image_set("abcdef")),  # the same, among others
        (image_set("ab"), image_set("cdcd", start=10)),
        (image_set(""), image_set("aa")),
        (image_set("aa"), image_set("", start=10)),
    ],
)
def test_where_nothing_is_to_be_found_it_is_refused(query, gallery):
    with pytest.raises(UserError, match=r"nothing to find, .* \(made up\)") as refused:
        RetrievalTask(query, gallery)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("query", "gallery"),
    [
        (image_set("abcc"), image_set("abcc")),
        (image_set("ab"), image_set("bc", start=10)),
        (image_set("ab"), image_set("abb")),
    ],
)
def test_one_query_with_something_to_find_is_enough(query, gallery):
    assert len(RetrievalTask(query, gallery).query) == len(query)


def test_figures_are_at_the_ks_of_the_task():
    vectors = np.eye(4, dtype=np.float32)
    task = RetrievalTask(image_set("aabb"), image_set("aabb"), ks=(1, 3))
    assert list(task.evaluate(vectors, vectors).recall_at) == [1, 3]
    assert list(RetrievalTask(image_set("aabb"), image_set("aabb")).ks) == [1, 2, 4, 8]
