"""Defines the figures of an evaluation that a run prints and tables."""

import statistics
from collections.abc import Mapping, Sequence

from nfl_keras.retrieval import RetrievalReport


def figures(report: RetrievalReport) -> dict[str, float]:
    """Returns the main figures of a report by their names: Recall@k and mAP.

    Args:
        report: `RetrievalReport`.

    Returns:
        Dict such as `{"Recall@1": 0.91, "mAP": 0.8}`.
    """
    recalls = {f"Recall@{k}": value for k, value in report.recall_at.items()}
    return {**recalls, "mAP": report.map}


def all_figures(report: RetrievalReport) -> dict[str, float]:
    """Returns `figures`, and Recall@1 and mAP after re-ranking if they were measured.

    Args:
        report: `RetrievalReport`.

    Returns:
        Dict such as `{"Recall@1": 0.91, "mAP": 0.8, "Recall@1, re-ranked": 0.92, ...}`.
    """
    if report.reranked is None:
        return figures(report)
    after = figures(report.reranked)
    return {**figures(report), **{f"{n}, re-ranked": after[n] for n in ("Recall@1", "mAP")}}


def mean_and_deviation(
    rows: Sequence[Mapping[str, float]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Computes the mean and the sample standard deviation of each figure over splits.

    Args:
        rows: sequence of two or more dicts that `figures` has returned.

    Returns:
        `(mean, deviation)`, two dicts with the same names.

    Example:

    >>> from nfl_keras.training.reporting.figures import mean_and_deviation
    >>> mean_and_deviation([{"mAP": 0.25}, {"mAP": 0.25}])
    ({'mAP': 0.25}, {'mAP': 0.0})
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    mean = {name: statistics.mean(values) for name, values in columns.items()}
    return mean, {name: statistics.stdev(values) for name, values in columns.items()}


def in_one_line(values: Mapping[str, float]) -> str:
    """Returns figures as text, such as `Recall@1 0.9100  mAP 0.8000`."""
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())
