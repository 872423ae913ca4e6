"""Defines what a run measures before it trains."""

import dataclasses
from typing import Any, Self

from nfl_keras.models import Embedder
from nfl_keras.retrieval import RetrievalReport, RetrievalTask
from nfl_keras.training.reporting.figures import all_figures, in_one_line
from nfl_keras.training.splits import Splits


@dataclasses.dataclass(frozen=True)
class StartReports:
    """The reports that the trained model is compared with.

    Args:
        frozen: `RetrievalReport` of the backbone's pooled features, without a projection.
        untrained: `RetrievalReport` of the embedder before training.
        floor: `RetrievalReport` of the pooled features on the photographs that epochs are measured
            on. It is `frozen` itself where the run's figures are measured on them, too.
    """

    frozen: RetrievalReport
    untrained: RetrievalReport
    floor: RetrievalReport

    @classmethod
    def of(cls, embedder: Embedder, splits: Splits, crops: int, rerank: str | None = None) -> Self:
        """Measures an embedder before training, and prints the figures."""
        backbone = embedder.without_projection()
        frozen = _measure(backbone, splits.final, crops, rerank)
        print(f"frozen     {in_one_line(all_figures(frozen))}", flush=True)
        same = embedder.embedding_dim is None
        untrained = frozen if same else _measure(embedder, splits.final, crops, rerank)
        print(f"untrained  {in_one_line(all_figures(untrained))}", flush=True)
        watches_final = splits.watched is splits.final
        floor = frozen if watches_final else _measure(backbone, splits.watched, crops)
        return cls(frozen, untrained, floor)

    @classmethod
    def from_dict(cls, reports: dict[str, Any]) -> Self:
        """Makes the reports from what `dataclasses.asdict` returned. Keys may be strings."""
        return cls(**{name: RetrievalReport(**report) for name, report in reports.items()})


def _measure(
    embedder: Embedder, task: RetrievalTask, crops: int, rerank: str | None = None
) -> RetrievalReport:
    return task.evaluate(*task.embed(embedder, crops), rerank)
