"""Measures a training step of `nfl.models.NoiseInvariantModel` and the same in PyTorch.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/step.py

ResNet-18 on the CPU: 64 clean images of 224 x 224 and the same with noise, 128 through the
network, four of each class, L_D + L_N + L_S over 98 classes, forward and backward, AdamW; in
float32, and in bfloat16 (ours by Keras' policy "mixed_bfloat16", PyTorch's by `torch.autocast`).
PyTorch is eager, channels-last, with its fused AdamW. "cross-entropy" is ours with 128 clean
images and one linear classifier, without noise and our losses.

The script first checks that both sides compute the same from the same weights, without noise
(`--check` does only that). Each measurement has its own process, and the sides alternate. A rate is
over `--steps` steps after one that is not timed. Memory is the process' peak.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

import step_sides

DEPTH = 18
SIDES = ("ours", "torch", "cross-entropy")
PRECISIONS = ("float32", "bfloat16")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2, help="timed in each run")
    parser.add_argument("--batch", type=int, default=64, help="clean images")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--check", action="store_true", help="check, and measure nothing")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(_measure(*given.measure, given)))
        return
    if given.check:
        step_sides.check(DEPTH)
        return
    subprocess.run([sys.executable, sys.argv[0], "--check"], stdout=sys.stderr, check=True)
    measured = {(p, side): [] for p in given.precisions for side in given.sides}
    for run in range(given.runs):
        for (precision, side), results in measured.items():
            command = [sys.executable, *sys.argv, "--measure", side, precision]
            finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            results.append(json.loads(finished.stdout.splitlines()[-1]))
            print(run, precision, side, results[-1], file=sys.stderr, flush=True)
    print("| | | images/s, median (least to most) | MiB, median | ours beside it |")
    print("|---|---|---|---|---|")
    for (precision, side), results in measured.items():
        rates, mebibytes = zip(*results, strict=True)
        spread = f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
        beside = "-"
        if side != "ours" and (precision, "ours") in measured:
            pairs = zip(measured[precision, "ours"], results, strict=True)
            beside = f"{statistics.median(ours[0] / its[0] for ours, its in pairs):.2f}"
        memory = f"{statistics.median(mebibytes):,.0f}"
        print(f"| {precision} | {side} | {spread} | {memory} | {beside} |")


def _measure(side, precision, given):
    """Returns the images/s through the network and the peak memory in MiB."""
    step = (_torch if side == "torch" else _keras)(side, precision, given)
    step()
    start = time.perf_counter()
    for _ in range(given.steps):
        step()
    rate = given.steps * 2 * given.batch / (time.perf_counter() - start)
    return rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _keras(side, precision, given):
    import keras
    import tensorflow as tf

    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    if side == "ours":
        model, size = step_sides.keras_model(DEPTH), given.batch
    else:
        model, size = step_sides.keras_classifier(DEPTH), 2 * given.batch
    images, labels = (tf.constant(array) for array in step_sides.batch(size, given.image_size))
    return lambda: model.train_on_batch(images, labels)


def _torch(_, precision, given):
    import torch

    model = step_sides.torch_model(DEPTH)
    optimizer = step_sides.torch_optimizer(model.parameters())
    images, labels = map(torch.from_numpy, step_sides.batch(given.batch, given.image_size))
    # PyTorch's channels-last is [B, H, W, C] in memory.
    images = images.permute(0, 3, 1, 2)

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = model(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    main()
