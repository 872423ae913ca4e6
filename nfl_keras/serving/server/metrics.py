"""Counters and histograms, in Prometheus' text format under TF Serving's names.

The format is a few lines, and `prometheus_client` would add `_total` to the names of counters,
which dashboards made for TF Serving do not know.
"""

import bisect
import threading

PATH = "/monitoring/prometheus/metrics"

_REQUESTS = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
_RUNTIME = ":tensorflow:serving:runtime_latency"
_BATCH = ":tensorflow:serving:batching_session:processed_batch_size"

_MICROSECONDS = tuple(10 * 1.8**i for i in range(33))
_SIZES = tuple(float(2**i) for i in range(14))


class Metrics:
    """What the server has done since it started."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counters = {}
        self._histograms = {}

    def count_request(self, model_name, status):
        """Counts an answered request.

        Args:
            model_name: str, of a served model; other names are the caller's and would grow
                without end.
            status: str, the name of its status code.
        """
        labels = f'model_name="{_escaped(model_name)}",status="{status}"'
        with self._lock:
            self._counters[labels] = self._counters.get(labels, 0) + 1

    def observe_request(self, model_name, entrypoint, seconds):
        """Notes how long a prediction took, from its message to its answer."""
        labels = f'model_name="{_escaped(model_name)}",API="Predict",entrypoint="{entrypoint}"'
        self._observe(_LATENCY, _MICROSECONDS, labels, seconds * 1e6)

    def observe_run(self, model_name, seconds):
        """Notes how long one run of a model took."""
        labels = f'model_name="{_escaped(model_name)}",API="Predict",runtime="TF2"'
        self._observe(_RUNTIME, _MICROSECONDS, labels, seconds * 1e6)

    def observe_batch(self, rows):
        """Notes the rows of one run."""
        self._observe(_BATCH, _SIZES, "", rows)

    def text(self):
        """All of them, as Prometheus reads them."""
        with self._lock:
            counters = sorted(self._counters.items())
            histograms = {
                name: sorted(
                    (labels, list(counts), total) for labels, (counts, total) in of.items()
                )
                for name, (_, of) in self._histograms.items()
            }
        lines = [f"# TYPE {_REQUESTS} counter"]
        lines += [f"{_REQUESTS}{{{labels}}} {count}" for labels, count in counters]
        for name, series in sorted(histograms.items()):
            lines.append(f"# TYPE {name} histogram")
            for labels, counts, total in series:
                lines += _histogram(name, self._histograms[name][0], labels, counts, total)
        return "\n".join(lines) + "\n"

    def _observe(self, name, bounds, labels, value):
        with self._lock:
            _, series = self._histograms.setdefault(name, (bounds, {}))
            counts, total = series.get(labels, ([0] * (len(bounds) + 1), 0.0))
            counts[bisect.bisect_left(bounds, value)] += 1
            series[labels] = (counts, total + value)


def _histogram(name, bounds, labels, counts, total):
    lines = []
    seen = 0
    separator = "," if labels else ""
    for bound, count in zip([*(f"{b:g}" for b in bounds), "+Inf"], counts, strict=True):
        seen += count
        lines.append(f'{name}_bucket{{{labels}{separator}le="{bound}"}} {seen}')
    return [*lines, f"{name}_sum{{{labels}}} {total:.17g}", f"{name}_count{{{labels}}} {seen}"]


def _escaped(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
