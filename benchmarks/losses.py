"""Measures time and memory of each loss, forward and backward, against its peers.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/losses.py
    python benchmarks/losses.py --losses L_D --batch-sizes 256 512 1024 4096 16384

Embeddings have 512 numbers and unit length, and four are of each class; for logits and proxies
there are 100 classes. Gradients are by all of these. The peers are losses of
pytorch-metric-learning with the same terms, some with a miner, and PyTorch's cross-entropy. Two
have other terms: `SupConLoss` beside L_D, and `TripletMarginMiner`, which mines all semi-hard
triplets, where ours has one for each positive. "products" is a lower bound of L_D: TensorFlow
computes only the similarity matrix and its two products with the embeddings.

Each measurement has its own process, and the sides alternate. Memory is the process' peak less
what it held before its first call at this batch size. Time is that of one CPU thread, which other
work on the machine changes little: the mean of the calls after the first, over a second or more.
The memory of some peers grows with the cube of the batch; larger batches leave them out.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from losses_sides import LOSSES

LARGEST = {"LiftedStructureLoss": 256, "NTXentLoss": 512, "SupConLoss": 4096}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[512])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        loss, side, batch_size = given.measure
        print(json.dumps(_measure(LOSSES[loss][side], int(batch_size))))
        return
    measured = {
        (loss, size, side): []
        for loss in given.losses
        for size in given.batch_sizes
        for side in LOSSES[loss]
        if size <= LARGEST.get(side, size)
    }
    for run in range(given.runs):
        for (loss, size, side), results in measured.items():
            results.append(_measure_in_a_process(loss, side, size))
            print(run, loss, size, side, results[-1], file=sys.stderr, flush=True)
    print("| loss | batch | | ms, median (least to most) | MiB, median | time beside ours |")
    print("|---|---|---|---|---|---|")
    for (loss, size, side), results in measured.items():
        seconds, mebibytes = zip(*results, strict=True)
        pairs = zip(results, measured[loss, size, "ours"], strict=True)
        beside = f"{statistics.median(its[0] / ours[0] for its, ours in pairs):,.2f}"
        memory = f"{statistics.median(mebibytes):,.0f}"
        print(f"| {loss} | {size:,} | {side} | {_spread(seconds)} | {memory} | {beside} |")


def _measure_in_a_process(*what):
    command = [sys.executable, sys.argv[0], "--measure", *map(str, what)]
    variables = {**os.environ, **ONE_THREAD}
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=variables)
    return json.loads(finished.stdout.splitlines()[-1])


def _spread(seconds):
    """Returns median and extremes in milliseconds."""
    times = [1000 * second for second in seconds]
    return f"{statistics.median(times):,.1f} ({min(times):,.1f} to {max(times):,.1f})"


def _measure(side, batch_size):
    """Returns the seconds of a call and the peak memory in MiB."""
    side(8)()
    call = side(batch_size)
    # Resets the peak that the kernel counts.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = _memory("VmRSS")
    call()
    calls, start = 0, time.process_time()
    while not calls or time.process_time() < start + 1:
        call()
        calls += 1
    return (time.process_time() - start) / calls, (_memory("VmHWM") - before) / 1024


def _memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
