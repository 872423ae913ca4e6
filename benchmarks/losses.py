"""Measures time and memory of L_D, forward and backward, against its peers.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/losses.py

The inputs are unit embeddings of 512 numbers, four of each class; the temperature is 0.1, and the
CPU computes. The peers are `NTXentLoss` of pytorch-metric-learning, which has the terms of L_D, and
`SupConLoss`. "products" is a lower bound: TensorFlow computes only the similarity matrix and its
two products with the embeddings.

Each measurement has its own process, and the sides alternate. Memory is the process' peak less
what it held before its first call at this batch size. Time is the mean of the calls after the
first, over a second or more. `NTXentLoss` needs gigabytes at a batch of 512, and its memory grows
with the cube of the batch; larger batches leave it out. Batches above 4,096 leave out `SupConLoss`.
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import time

SIDES = ("ours", "products", "SupConLoss", "NTXentLoss")
LARGEST = {"SupConLoss": 4096, "NTXentLoss": 512}
WIDTH = 512
IMAGES_PER_CLASS = 4
TEMPERATURE = 0.1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[256, 512, 1024, 4096, 16384])
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        side, batch_size = given.measure
        prepare = {"ours": _ours, "products": _products}.get(side, functools.partial(_peer, side))
        print(json.dumps(measure(prepare, int(batch_size))))
        return
    measured = {
        (size, side): []
        for size in given.batch_sizes
        for side in given.sides
        if size <= LARGEST.get(side, size)
    }
    for run in range(given.runs):
        for (size, side), results in measured.items():
            results.append(measure_in_a_process(side, size))
            print(run, size, side, results[-1], file=sys.stderr, flush=True)
    print("| batch | | ms, median (least to most) | MiB, median | time beside ours |")
    print("|---|---|---|---|---|")
    for (size, side), results in measured.items():
        seconds, mebibytes = zip(*results, strict=True)
        spread = spread_of(seconds)
        beside = "-"
        if (size, "ours") in measured:
            pairs = zip(results, measured[size, "ours"], strict=True)
            beside = f"{statistics.median(its[0] / ours[0] for its, ours in pairs):.2f}"
        print(f"| {size:,} | {side} | {spread} | {statistics.median(mebibytes):,.0f} | {beside} |")


def measure_in_a_process(*what, **environment):
    """Runs this program with `--measure` and returns what it printed."""
    command = [sys.executable, sys.argv[0], "--measure", *map(str, what)]
    variables = {**os.environ, **environment}
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=variables)
    return json.loads(finished.stdout.splitlines()[-1])


def spread_of(seconds):
    """Returns median and extremes in milliseconds."""
    times = [1000 * second for second in seconds]
    return f"{statistics.median(times):,.1f} ({min(times):,.1f} to {max(times):,.1f})"


def measure(prepare, batch_size, clock=time.perf_counter):
    """Returns the seconds of a call and the peak memory in MiB.

    Args:
        prepare: function from a batch size to a function that computes the loss once.
        batch_size: int.
        clock: function that returns seconds. Defaults to the time that passes.
    """
    prepare(8)()
    call = prepare(batch_size)
    # Resets the peak that the kernel counts.
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = _memory("VmRSS")
    call()
    calls, start = 0, clock()
    while not calls or clock() < start + 1:
        call()
        calls += 1
    return (clock() - start) / calls, (_memory("VmHWM") - before) / 1024


def _memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def _batch(batch_size):
    import numpy as np

    embeddings = np.random.default_rng(0).normal(size=(batch_size, WIDTH)).astype("float32")
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings, np.arange(batch_size, dtype="int64") // IMAGES_PER_CLASS


def _ours(batch_size):
    import nfl_keras as nfl

    return call_of_ours(nfl.losses.ClassDiscriminationLoss(TEMPERATURE), batch_size)


def call_of_ours(loss, batch_size):
    """Returns a function that computes one of our losses and its gradient."""
    import tensorflow as tf

    def step(embeddings, labels):
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            value = loss(labels, embeddings)
        return value, tape.gradient(value, embeddings)

    return _traced(step, batch_size)


def _products(batch_size):
    import tensorflow as tf

    def step(embeddings, labels):
        similarity = tf.matmul(embeddings, embeddings, transpose_b=True)
        return (
            tf.matmul(similarity, embeddings),
            tf.matmul(similarity, embeddings, transpose_a=True),
        )

    return _traced(step, batch_size)


def _traced(step, batch_size):
    import tensorflow as tf

    arguments = [tf.constant(array) for array in _batch(batch_size)]
    traced = tf.function(step).get_concrete_function(*arguments)
    return lambda: [result.numpy() for result in traced(*arguments)]


def _peer(side, batch_size):
    from pytorch_metric_learning import losses

    return call_of_peer(getattr(losses, side)(temperature=TEMPERATURE), batch_size)


def call_of_peer(loss, batch_size, miner=None):
    """Returns a function that computes a loss of pytorch-metric-learning and its gradient."""
    import torch

    embeddings, labels = (torch.from_numpy(array) for array in _batch(batch_size))
    embeddings.requires_grad_()

    def call():
        embeddings.grad = None
        mined = miner(embeddings, labels) if miner else None
        loss(embeddings, labels, mined).backward()

    return call


class _Raw(argparse.RawDescriptionHelpFormatter):
    pass


if __name__ == "__main__":
    main()
