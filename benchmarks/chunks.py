"""Measures the time and the peak memory of a training step by chunks.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/chunks.py

ResNet-18 with random weights on the CPU in float32: 240 images of 224 x 224, four of each class,
in one step of `nfl.models.NoiseInvariantModel` without its noisy view (L_D + L_S, AdamW), the whole
batch at once and in chunks. BatchNormalization learns. Each measurement has its own process. A time
is the mean of `--steps` steps after one that is not timed, in seconds that the process had of all
cores together. Memory is the process' peak. The part of the step is what the peak grew by since
model and batch were there.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import step_sides


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=240)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--chunks", type=int, nargs="+", default=[0, 64, 32, 16])
    parser.add_argument("--steps", type=int, default=2, help="timed in each process")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(_measure(given.measure, given)))
        return
    print("| chunk | CPU seconds a step | ratio | MiB, peak | MiB of the step | ratio |")
    print("|---|---|---|---|---|---|")
    whole = None
    for chunk in given.chunks:
        command = [sys.executable, *sys.argv, "--measure", str(chunk)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds, peak, of_step = json.loads(finished.stdout.splitlines()[-1])
        whole = whole or (seconds, of_step)
        print(
            f"| {chunk or 'whole batch'} | {seconds:.1f} | {seconds / whole[0]:.2f} | {peak:,.0f} "
            f"| {of_step:,.0f} | {of_step / whole[1]:.2f} |",
            flush=True,
        )


def _measure(chunk, given):
    """Returns the CPU seconds of a step, the peak memory in MiB, and the step's own part of it."""
    import keras
    import tensorflow as tf

    from nfl_keras.models import NoiseInvariantModel

    embedder = step_sides.keras_embedder(depth=18)
    model = NoiseInvariantModel(embedder, step_sides.CLASSES, lambda_n=0, seed=0)
    model.chunk_size = chunk
    model.compile(keras.optimizers.AdamW(step_sides.RATE))
    images, labels = map(tf.constant, step_sides.batch(given.batch, given.image_size))
    before = _peak()
    model.train_on_batch(images, labels)
    start = time.process_time()
    for _ in range(given.steps):
        model.train_on_batch(images, labels)
    return (time.process_time() - start) / given.steps, _peak(), _peak() - before


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
