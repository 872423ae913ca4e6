"""Defines which queries a report shows, beside their nearest neighbors."""

import dataclasses

import numpy as np

from nfl_keras.models import Embedder
from nfl_keras.report import Neighbor, RetrievalRow
from nfl_keras.retrieval import RetrievalTask, explain, neighbors


def retrieval_rows(
    task: RetrievalTask,
    query_embeddings: np.ndarray,
    gallery_embeddings: np.ndarray,
    embedder: Embedder,
    crops: int,
    seed: int = 0,
    rows: int = 10,
    columns: int = 8,
) -> list[RetrievalRow]:
    """Draws the queries of the report's retrieval grid at random, some of them failures.

    Up to a third of the rows are queries whose nearest neighbor is of another class. The
    report's figures say how rare these queries are.

    Args:
        task: `RetrievalTask`.
        query_embeddings: float32 `[Q, D]`.
        gallery_embeddings: float32 `[G, D]`.
        embedder: `Embedder` that made them. It explains the nearest neighbor of each query, see
            `nfl.retrieval.explain`.
        crops: 1 or 3, crops of each photograph.
        seed: int, of the draw. Defaults to `0`.
        rows: int. Defaults to `10`.
        columns: int, neighbors in a row. Defaults to `8`.

    Returns:
        List of `RetrievalRow`.
    """
    query, gallery = task.query, task.gallery
    found, similarities = neighbors(
        query_embeddings, gallery_embeddings, columns, query.ids, gallery.ids
    )
    correct = gallery.labels[found] == query.labels[:, None]
    failed = np.flatnonzero(~correct[:, 0])
    rng = np.random.default_rng(seed)
    shown_failures = rng.permutation(failed)[: rows // 3]
    others = np.setdiff1d(np.arange(len(query)), failed)
    shown = np.concatenate([rng.permutation(others)[: rows - len(shown_failures)], shown_failures])
    drawn = []
    for q in shown:
        photograph = query.read(int(q))
        near = [
            Neighbor(
                image=gallery.read(int(g)),
                class_name=gallery.class_names[gallery.labels[g]],
                similarity=float(similarity),
                correct=bool(right),
            )
            for g, similarity, right in zip(found[q], similarities[q], correct[q], strict=True)
            if g >= 0
        ]
        note = "" if correct[q, 0] else "nearest is of another class"
        row = RetrievalRow(photograph, query.class_names[query.labels[q]], near, note)
        drawn.append(_explained(row, embedder, crops))
    return drawn


def _explained(row: RetrievalRow, embedder: Embedder, crops: int) -> RetrievalRow:
    nearest, *others = row.neighbors
    try:
        found = explain(embedder, row.query, nearest.image, crops)
    except Exception as error:  # A backbone of any kind must not cost the run its report.
        reason = f"not explained: {error}".partition("\n")[0]
        return dataclasses.replace(row, note="; ".join(filter(None, [row.note, reason])))
    nearest = dataclasses.replace(nearest, explanation=found)
    return dataclasses.replace(row, neighbors=[nearest, *others])
