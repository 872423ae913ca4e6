"""Defines `Metrics`, counters and histograms under TF Serving's names, for Prometheus."""

import bisect
import collections
import itertools
import threading
from collections.abc import Iterator

PATH = "/monitoring/prometheus/metrics"

# `prometheus_client` would add `_total` to them, which dashboards for TF Serving do not know.
_REQUESTS = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
_RUNTIME = ":tensorflow:serving:runtime_latency"
_BATCH = ":tensorflow:serving:batching_session:processed_batch_size"

_MICROSECONDS = tuple(10 * 1.8**i for i in range(33))
_BOUNDS = {
    _LATENCY: _MICROSECONDS,
    _RUNTIME: _MICROSECONDS,
    _BATCH: tuple(float(2**i) for i in range(14)),
}


class Metrics:
    """Counts of what a server has done since it started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: collections.Counter[str] = collections.Counter()
        # By name and labels, the counts of the intervals between the bounds and the sum of values.
        self._histograms: dict[str, dict[str, tuple[list[int], float]]] = {n: {} for n in _BOUNDS}

    def count_request(self, model_name: str, status: str) -> None:
        """Counts a request by its status; the names of models must not come from callers."""
        labels = f'model_name="{_escape(model_name)}",status="{status}"'
        with self._lock:
            self._counters[labels] += 1

    def observe_request(self, model_name: str, entrypoint: str, seconds: float) -> None:
        """Records how long a prediction took, from its message to its answer."""
        labels = f'model_name="{_escape(model_name)}",API="Predict",entrypoint="{entrypoint}"'
        self._observe(_LATENCY, labels, seconds * 1e6)

    def observe_run(self, model_name: str, seconds: float) -> None:
        """Records how long one run of a model took."""
        labels = f'model_name="{_escape(model_name)}",API="Predict",runtime="TF2"'
        self._observe(_RUNTIME, labels, seconds * 1e6)

    def observe_batch(self, rows: int) -> None:
        """Records the number of rows of one run."""
        self._observe(_BATCH, "", rows)

    def text(self) -> str:
        """Returns all metrics in Prometheus' text format."""
        lines = [f"# TYPE {_REQUESTS} counter"]
        with self._lock:
            for labels, requests in sorted(self._counters.items()):
                lines.append(f"{_REQUESTS}{{{labels}}} {requests}")
            for name, by_labels in self._histograms.items():
                lines.append(f"# TYPE {name} histogram")
                for labels, (counts, total) in sorted(by_labels.items()):
                    lines += _histogram_lines(name, labels, counts, total)
        return "\n".join(lines) + "\n"

    def _observe(self, name: str, labels: str, value: float) -> None:
        bounds = _BOUNDS[name]
        with self._lock:
            counts, total = self._histograms[name].get(labels, ([0] * (len(bounds) + 1), 0.0))
            counts[bisect.bisect_left(bounds, value)] += 1
            self._histograms[name][labels] = counts, total + value


def _histogram_lines(name: str, labels: str, counts: list[int], total: float) -> Iterator[str]:
    separator = "," if labels else ""
    bounds = [*(f"{bound:g}" for bound in _BOUNDS[name]), "+Inf"]
    for bound, count in zip(bounds, itertools.accumulate(counts), strict=True):
        yield f'{name}_bucket{{{labels}{separator}le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {total:.17g}"
    yield f"{name}_count{{{labels}}} {sum(counts)}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
