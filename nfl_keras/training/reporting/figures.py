"""The few figures of an evaluation that are printed and tabled."""

import statistics


def figures(report):
    """Names and values of a `RetrievalReport`'s headline: Recall@k and mAP."""
    recalls = {f"Recall@{k}": value for k, value in report.recall_at.items()}
    return {**recalls, "mAP": report.map}


def mean_and_deviation(rows):
    """The mean of each figure over splits, and its sample standard deviation.

    Args:
        rows: list of two or more dicts, as `figures` gives them.

    Returns:
        Two such dicts.
    """
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    mean = {name: statistics.mean(values) for name, values in columns.items()}
    return mean, {name: statistics.stdev(values) for name, values in columns.items()}


def in_one_line(values):
    """Figures as text, such as `Recall@1 0.9100  mAP 0.8000`."""
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())
