"""Defines `Metrics`, counters and histograms under TF Serving's names, for Prometheus.

The text format takes a few lines. `prometheus_client` would add `_total` to the names of counters,
which dashboards made for TF Serving do not know.
"""

import bisect
import threading
from collections.abc import Iterator

PATH = "/monitoring/prometheus/metrics"

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
        self._counters: dict[str, int] = {}
        self._histograms: dict[tuple[str, str], tuple[list[int], float]] = {}

    def count_request(self, model_name: str, status: str) -> None:
        """Counts a request by its status; the names of models must not come from callers."""
        labels = f'model_name="{_escape(model_name)}",status="{status}"'
        with self._lock:
            self._counters[labels] = self._counters.get(labels, 0) + 1

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
        with self._lock:
            counters = sorted(self._counters.items())
            histograms = sorted((k, list(n), total) for k, (n, total) in self._histograms.items())
        lines = [f"# TYPE {_REQUESTS} counter"]
        lines += [f"{_REQUESTS}{{{labels}}} {count}" for labels, count in counters]
        written = None
        for (name, labels), counts, total in histograms:
            if name != written:
                lines.append(f"# TYPE {name} histogram")
                written = name
            lines += _histogram_lines(name, labels, counts, total)
        return "\n".join(lines) + "\n"

    def _observe(self, name: str, labels: str, value: float) -> None:
        bounds = _BOUNDS[name]
        with self._lock:
            counts, total = self._histograms.get((name, labels), ([0] * (len(bounds) + 1), 0.0))
            counts[bisect.bisect_left(bounds, value)] += 1
            self._histograms[name, labels] = (counts, total + value)


def _histogram_lines(name: str, labels: str, counts: list[int], total: float) -> Iterator[str]:
    seen = 0
    separator = "," if labels else ""
    bounds = [*(f"{bound:g}" for bound in _BOUNDS[name]), "+Inf"]
    for bound, count in zip(bounds, counts, strict=True):
        seen += count
        yield f'{name}_bucket{{{labels}{separator}le="{bound}"}} {seen}'
    yield f"{name}_sum{{{labels}}} {total:.17g}"
    yield f"{name}_count{{{labels}}} {seen}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
