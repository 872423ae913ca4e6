"""Which queries a report shows, beside their nearest."""

import numpy as np

from nfl_keras.report import Neighbor, RetrievalRow
from nfl_keras.retrieval import neighbors


def retrieval_rows(search, query_embeddings, gallery_embeddings, seed=0, rows=10, columns=8):
    """Rows for the report's retrieval grid: queries drawn at random, some of them failures.

    Of the rows, up to a third are drawn from the queries whose nearest is of another class;
    the report's headline says how rare they are.

    Args:
        search: `RetrievalTask`.
        query_embeddings: float32 `[Q, D]`.
        gallery_embeddings: float32 `[G, D]`.
        seed: int, of the draw. Defaults to `0`.
        rows: int. Defaults to `10`.
        columns: int, neighbors in a row. Defaults to `8`.

    Returns:
        A list of `RetrievalRow`.
    """
    query, gallery = search.query, search.gallery
    found, similarities = neighbors(
        query_embeddings, gallery_embeddings, columns, query.ids, gallery.ids
    )
    correct = gallery.labels[found] == query.labels[:, None]
    failed = np.flatnonzero(~correct[:, 0])
    rng = np.random.default_rng(seed)
    shown_failures = rng.permutation(failed)[: rows // 3]
    others = np.setdiff1d(np.arange(len(query)), failed)
    shown = np.concatenate([rng.permutation(others)[: rows - len(shown_failures)], shown_failures])
    return [
        RetrievalRow(
            query=query.read(int(q)),
            query_class=query.class_names[query.labels[q]],
            neighbors=[
                Neighbor(
                    image=gallery.read(int(g)),
                    class_name=gallery.class_names[gallery.labels[g]],
                    similarity=float(similarity),
                    correct=bool(right),
                )
                for g, similarity, right in zip(found[q], similarities[q], correct[q], strict=True)
                if g >= 0
            ],
            note="" if correct[q, 0] else "nearest is of another class",
        )
        for q in shown
    ]
