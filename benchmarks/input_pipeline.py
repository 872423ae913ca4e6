"""Measures the images/s of the training pipeline and of a PyTorch `DataLoader`.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/input_pipeline.py flowers17 --data-dir flowers17

Both read the same photographs in random order, decode them, resize the shorter side to 256, crop
224 at random, rotate by up to 15 degrees, flip half of them, and yield float32 batches of 64. Ours
is also measured with white balance. Each side has its own process, which waits while another is
timed. The sides alternate.
"""

import argparse
import pathlib
import random
import statistics
import subprocess
import sys
import time

BATCH_SIZE = 64
IMAGE_SIZE = 224
UNTIMED = 8  # batches, more than either side keeps ready
SIDES = ("ours", "ours, with white balance", "torch")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", help="as for nfl_keras.data.load, with photographs in files")
    parser.add_argument("--data-dir", help="the dataset's folder")
    parser.add_argument("--white-balance", help="folder of the published parameters")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=4.0, help="timed in each run")
    parser.add_argument("--workers", type=int, default=2, help="of the DataLoader")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        _answer(_torch(given) if given.side == "torch" else _ours(given), given.seconds)
        return
    sides = {side: _started(side) for side in SIDES}
    rates = {side: [] for side in SIDES}
    for run in range(given.runs):
        for side, process in sides.items():
            print(file=process.stdin, flush=True)
            rates[side].append(float(process.stdout.readline()))
        print(run, {side: round(values[-1]) for side, values in rates.items()}, flush=True)
    print("\n| | images/s, median (least to most) | beside torch, median of the runs' ratios |")
    print("|---|---|---|")
    for side, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(values, rates["torch"], strict=True))
        spread = f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
        print(f"| {side} | {spread} | {ratio:.2f} |")
        sides[side].stdin.close()


def _started(side):
    command = [sys.executable, *sys.argv, "--side", side]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _answer(batches, seconds):
    """Prints the images/s of `seconds` for each line read, after batches that were ready before."""
    for _ in sys.stdin:
        for _ in range(UNTIMED):
            next(batches)
        count, start = 0, time.perf_counter()
        while time.perf_counter() < start + seconds:
            count += len(next(batches))
        print(count / (time.perf_counter() - start), flush=True)


def _ours(given):
    import nfl_keras as nfl

    white_balance = nfl.layers.WhiteBalanceEmulation(given.white_balance)
    dataset = nfl.data.balanced_batches(
        _image_set(given),
        image_size=IMAGE_SIZE,
        recolor=white_balance.recolor if "white balance" in given.side else None,
        endless=True,
    )
    for images, _ in dataset:
        yield images


def _torch(given):
    import torch

    files = _files(given)
    loader = torch.utils.data.DataLoader(
        files,
        batch_size=BATCH_SIZE,
        num_workers=given.workers,
        shuffle=True,
        drop_last=True,
        persistent_workers=True,
    )
    while True:
        yield from loader


class _Files:
    """A map-style dataset of augmented photographs, by Pillow and NumPy."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, position):
        import numpy as np
        from PIL import Image

        image = Image.open(self.paths[position]).convert("RGB")
        scale = 256 / min(image.size)
        size = [max(256, round(side * scale)) for side in image.size]
        image = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (random.randint(0, side - IMAGE_SIZE) for side in image.size)
        image = image.crop((left, top, left + IMAGE_SIZE, top + IMAGE_SIZE))
        image = image.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR)
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return np.asarray(image, np.float32)


def _image_set(given):
    import nfl_keras as nfl

    return nfl.data.load(given.dataset, given.data_dir, split="all", missing_images="skip")


def _files(given):
    root = pathlib.Path(given.data_dir or given.dataset)
    return _Files([root / name for name in _image_set(given).ids])


if __name__ == "__main__":
    main()
