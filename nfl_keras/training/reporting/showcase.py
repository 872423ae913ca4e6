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
    names = np.asarray(gallery.class_names)[gallery.labels]
    query_names = np.asarray(query.class_names)[query.labels]
    failed = np.flatnonzero(names[found[:, 0]] != query_names)
    rng = np.random.default_rng(seed)
    shown_failures = rng.permutation(failed)[: rows // 3]
    others = np.setdiff1d(np.arange(len(query)), failed)
    shown = np.concatenate([rng.permutation(others)[: rows - len(shown_failures)], shown_failures])
    return [
        RetrievalRow(
            query=query.read(int(q)),
            query_class=str(query_names[q]),
            neighbors=[
                Neighbor(
                    image=gallery.read(int(g)),
                    class_name=str(names[g]),
                    similarity=float(similarity),
                    correct=bool(names[g] == query_names[q]),
                )
                for g, similarity in zip(found[q], similarities[q], strict=True)
                if g >= 0
            ],
            note="nearest is of another class" if names[found[q, 0]] != query_names[q] else "",
        )
        for q in shown
    ]
