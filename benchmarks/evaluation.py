"""Measures exact evaluation beside bare faiss and pytorch-metric-learning.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/evaluation.py

The embeddings are made up: the sum of a class's random vector and of noise, of norm 1. "ours" is
`nfl.retrieval.evaluate`, which computes mAP over the whole gallery and Recall@1, 10, 100 and 1,000.
"faiss" is only the search for the 1,001 nearest neighbors, without any metric. "AccuracyCalculator"
is pytorch-metric-learning's, which searches by faiss, too, and computes mAP and the precision of
the first among 1,000 neighbors.

Each measurement has its own process, and the sides alternate. Memory is the process' peak less
what it held before, when the embeddings were there already.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

SIDES = ("ours", "faiss", "AccuracyCalculator")
KS = (1, 10, 100, 1000)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--queries", type=int, help="the first so many items; default: all")
    parser.add_argument("--gallery", type=int, default=60_502)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--images-per-class", type=int, default=5)
    parser.add_argument("--noise", type=float, default=2.5, help="beside 1 for the class")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--measure", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(_measure(given)))
        return
    environment = os.environ | dict.fromkeys(THREADS, str(given.threads))
    results = {side: [] for side in given.sides}
    for run in range(given.runs):
        for side, measured in results.items():
            command = [sys.executable, *sys.argv, "--measure", side]
            finished = subprocess.run(
                command, stdout=subprocess.PIPE, text=True, check=True, env=environment
            )
            measured.append(json.loads(finished.stdout.splitlines()[-1]))
            print(run, side, measured[-1], file=sys.stderr, flush=True)
    print("| | s, median (least to most) | CPU s, median | MiB, median | mAP, R@1 |")
    print("|---|---|---|---|---|")
    for side, measured in results.items():
        seconds, cpu_seconds, mebibytes, figures = zip(*measured, strict=True)
        spread = f"{statistics.median(seconds):.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
        print(
            f"| {side} | {spread} | {statistics.median(cpu_seconds):.1f} | "
            f"{statistics.median(mebibytes):,.0f} | {figures[0]} |"
        )


def _measure(given):
    """Returns seconds, seconds of the CPU, the peak memory in MiB, and the figures in words."""
    embeddings, labels = _embeddings(given)
    call = {"ours": _ours, "faiss": _faiss, "AccuracyCalculator": _accuracy_calculator}
    evaluate = call[given.measure](embeddings, labels)
    evaluate(100)  # Loads what is loaded at first use.
    # Resets the peak that the kernel counts.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before, start, cpu_start = _memory("VmRSS"), time.perf_counter(), time.process_time()
    figures = evaluate(given.queries or given.gallery)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return seconds, cpu_seconds, (_memory("VmHWM") - before) / 1024, figures


def _memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def _embeddings(given):
    import numpy as np

    rng = np.random.default_rng(0)
    labels = np.arange(given.gallery) // given.images_per_class
    embeddings = rng.standard_normal((labels[-1] + 1, given.dimension), dtype=np.float32)[labels]
    for row in embeddings:
        row += np.float32(given.noise) * rng.standard_normal(given.dimension, dtype=np.float32)
        row /= np.linalg.norm(row)
    return embeddings, labels


def _ours(embeddings, labels):
    import numpy as np

    import nfl_keras as nfl

    ids = np.arange(len(labels))

    def evaluate(count):
        rows = slice(count)
        report = nfl.retrieval.evaluate(
            embeddings[rows], labels[rows], embeddings, labels, ids[rows], ids, KS
        )
        return f"{report.map:.4f}, {report.recall_at[1]:.4f}"

    return evaluate


def _faiss(embeddings, _):
    import faiss

    def evaluate(count):
        k = min(max(KS) + 1, len(embeddings))
        faiss.knn(embeddings[:count], embeddings, k, faiss.METRIC_INNER_PRODUCT)
        return "-"

    return evaluate


def _accuracy_calculator(embeddings, labels):
    import faiss
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import FaissKNN

    calculator = AccuracyCalculator(
        include=("mean_average_precision", "precision_at_1"),
        k=max(KS),
        device=torch.device("cpu"),
        knn_func=FaissKNN(index_init_fn=faiss.IndexFlatIP),
    )

    def evaluate(count):
        found = calculator.get_accuracy(
            embeddings[:count], labels[:count], embeddings, labels, ref_includes_query=True
        )
        return f"{found['mean_average_precision']:.4f}, {found['precision_at_1']:.4f}"

    return evaluate


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
