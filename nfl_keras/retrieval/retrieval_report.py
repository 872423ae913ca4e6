"""The report of one retrieval evaluation."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True, repr=False)
class RetrievalReport:
    """The figures of one retrieval evaluation, each a mean over the queries, in 0..1.

    It prints as a table.

    Args:
        recall_at: dict from k to Recall@k, the share of queries with at least one item of
            their class among the first k.
        map: float. Mean average precision over the ranking of the whole gallery.
        map_at: dict from k to mAP@k, the average precision of the first k divided by
            min(R, k), where R items of the query's class are in the gallery.
        map_at_hits: dict from k to mAP@k by another definition (SCDA, Wei et al. 2017), divided
            by the hits among the first k.
        precision_at: dict from k to the share of items of the query's class in the first k.
        per_class_map: dict from label to the mean average precision of that class' queries.
        num_queries: int. Queries that the means are over.
        num_skipped: int. Queries with nothing to find in the gallery, which no mean counts.
        num_gallery: int. Items in the gallery.
        protocol: str. Which photographs were searched for among which, in words. Defaults to
            `""`.
        reranked: `RetrievalReport` of the same queries after re-ranking, or the dict of its fields.
            Defaults to `None`: rankings were not re-ranked.
        rerank: str. How the rankings of this report were re-ranked. Defaults to `""`: not at all.

    Example:

    >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]])
    >>> nfl.retrieval.evaluate(vectors, [0, 0, 1, 1], ks=[1, 2])
    4 queries (0 more skipped: nothing to find), gallery of 4
    mAP              0.7500
    k                     1        2
    recall@k         0.5000   1.0000
    precision@k      0.5000   0.5000
    mAP@k            0.5000   0.7500
    mAP@k, by hits   0.5000   0.7500
    """

    recall_at: dict[int, float]
    map: float
    map_at: dict[int, float]
    map_at_hits: dict[int, float]
    precision_at: dict[int, float]
    per_class_map: dict[int, float]
    num_queries: int
    num_skipped: int
    num_gallery: int
    protocol: str = ""
    reranked: "RetrievalReport | None" = None
    rerank: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.reranked, dict):
            object.__setattr__(self, "reranked", RetrievalReport(**self.reranked))

    def to_json(self) -> str:
        """Returns the report as JSON text, in which all keys, k and labels too, are strings."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)

    def __repr__(self) -> str:
        lines = [self.protocol] if self.protocol else []
        lines.append(
            f"{self.num_queries:,} queries ({self.num_skipped:,} more skipped: nothing to find), "
            f"gallery of {self.num_gallery:,}"
        )
        lines += self._table()
        if self.reranked is not None:
            lines += [f"re-ranked, {self.reranked.rerank}", *self.reranked._table()]
        return "\n".join(lines)

    def _table(self) -> list[str]:
        columns = {
            "recall@k": self.recall_at,
            "precision@k": self.precision_at,
            "mAP@k": self.map_at,
            "mAP@k, by hits": self.map_at_hits,
        }
        lines = [f"{'mAP':<14}{self.map:>9.4f}"]
        lines.append(f"{'k':<14}" + "".join(f"{k:>9,}" for k in self.recall_at))
        for name, values in columns.items():
            lines.append(f"{name:<14}" + "".join(f"{value:>9.4f}" for value in values.values()))
        return lines
