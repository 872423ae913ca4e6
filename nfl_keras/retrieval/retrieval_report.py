"""What an evaluation found, in numbers and in words."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True, repr=False)
class RetrievalReport:
    """The figures of one evaluation, each a mean over the queries counted, in 0..1.

    Args:
        recall_at: dict from k to Recall@k, the share of queries with at least one item of
            their class among the first k.
        map: float. Mean average precision over the ranking of the whole gallery.
        map_at: dict from k to mAP@k, average precision of the first k divided by min(R, k),
            R being the items of the query's class in the gallery.
        map_at_hits: dict from k to mAP@k divided by the hits among the first k instead, as
            the SCDA line of work has it.
        precision_at: dict from k to the share of items of the query's class in the first k.
        per_class_map: dict from label to the mean average precision of that class' queries.
        num_queries: int. Queries counted.
        num_skipped: int. Queries with nothing to find in the gallery, left out of every mean.
        num_gallery: int. Items in the gallery.
        protocol: str. What was compared with what, in words.
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

    def to_json(self):
        """The report as JSON text; its keys are strings there, k and labels included."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False)

    def __repr__(self):
        lines = [self.protocol] if self.protocol else []
        lines.append(
            f"{self.num_queries:,} queries ({self.num_skipped:,} more skipped: nothing to find), "
            f"gallery of {self.num_gallery:,}"
        )
        columns = {
            "recall@k": self.recall_at,
            "precision@k": self.precision_at,
            "mAP@k": self.map_at,
            "mAP@k, by hits": self.map_at_hits,
        }
        lines.append(f"{'mAP':<14}{self.map:>9.4f}")
        lines.append(f"{'k':<14}" + "".join(f"{k:>9,}" for k in self.recall_at))
        for name, values in columns.items():
            lines.append(f"{name:<14}" + "".join(f"{value:>9.4f}" for value in values.values()))
        return "\n".join(lines)
