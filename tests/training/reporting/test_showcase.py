"""The report's rows: queries with their neighbors, the nearest explained."""

import numpy as np
import pytest

import nfl_keras as nfl
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.training.reporting import showcase


@pytest.fixture(scope="module")
def embedder():
    return nfl.models.Embedder("tiny", embedding_dim=8, image_size=32)


@pytest.fixture(scope="module")
def task():
    query = nfl.data.load("blooms", split="query")
    one_of_each = np.unique(query.labels, return_index=True)[1]
    shown = query.subset(np.concatenate([one_of_each[:4], one_of_each[:4] + 1]))
    return RetrievalTask(shown, shown)


def test_right_and_wrong_answers_are_explained(task, embedder):
    # Neighbors of the first three are of their class, those of the others are not.
    angles = np.array([0, 1, 2, 3.0, 0.1, 1.1, 2.1, 6.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")
    rows = showcase.retrieval_rows(task, vectors, vectors, embedder, crops=1, rows=6)
    notes = {row.note for row in rows}
    assert notes == {"", "nearest is of another class"}
    for row in rows:
        nearest, *others = row.neighbors
        alone = nfl.retrieval.explain(embedder, row.query, nearest.image, crops=1)
        assert nearest.explanation.similarity == alone.similarity
        assert [other.explanation for other in others] == [None] * len(others)


def test_what_cannot_be_explained_does_not_stop_the_report(task, embedder, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("no gradient\nand a long story")

    monkeypatch.setattr(showcase, "explain", fail)
    vectors = np.eye(8, dtype="float32")
    rows = showcase.retrieval_rows(task, vectors, vectors, embedder, crops=1, rows=3)
    assert all(row.note.endswith("not explained: no gradient") for row in rows)
    assert all(near.explanation is None for row in rows for near in row.neighbors)
