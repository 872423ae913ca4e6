"""Measures a training step of `nfl.models.NoiseInvariantModel` on a GPU, by JAX and PyTorch.

    pip install 'nfl_keras[benchmarks]' 'jax[cuda13]'
    python benchmarks/step_gpu.py

ResNet-50 in bfloat16: 128 clean images of 224 x 224 and the same with noise, 256 through the
network, four of each class, L_D + L_N + L_S over 98 classes, forward and backward, AdamW. Ours is
`fit` on Keras' JAX backend by the policy "mixed_bfloat16"; PyTorch's is `torch.compile` of network
and losses under `torch.autocast`, channels-last, with its fused AdamW. The images are on the GPU.

The script first checks that both sides compute the same in float32 from the same weights, without
noise (`--check` does only that). Each measurement has its own process, and the sides alternate. A
rate is over `--steps` steps after as many that are not timed. Without a GPU, small `--batch`,
`--image-size` and `--steps` try the script on the CPU. TensorFlow is not needed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import step_sides

DEPTH = 50
SIDES = ("ours", "torch")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--steps", type=int, default=30, help="timed in each run")
    parser.add_argument("--batch", type=int, default=128, help="clean images")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--compile-mode", default="default", help="of torch.compile")
    parser.add_argument("--check", action="store_true", help="check, and measure nothing")
    parser.add_argument("--measure", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "jax"
    if given.measure:
        print(_measure(given))
        return
    if given.check:
        step_sides.check(DEPTH)
        return
    # The check runs on the CPU, since float32 on a GPU is rounded in its own way.
    on_cpu = {**os.environ, "JAX_PLATFORMS": "cpu"}
    check = [sys.executable, sys.argv[0], "--check"]
    subprocess.run(check, stdout=sys.stderr, check=True, env=on_cpu)
    measured = {side: [] for side in given.sides}
    for run in range(given.runs):
        for side, rates in measured.items():
            command = [sys.executable, *sys.argv, "--measure", side]
            finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            rates.append(float(finished.stdout.splitlines()[-1]))
            print(run, side, rates[-1], file=sys.stderr, flush=True)
    print("| | images/s, median (least to most) | ours beside it |")
    print("|---|---|---|")
    for side, rates in measured.items():
        beside = "-"
        if side != "ours" and "ours" in measured:
            pairs = zip(measured["ours"], rates, strict=True)
            beside = f"{statistics.median(ours / its for ours, its in pairs):.2f}"
        spread = f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        print(f"| {side} | {spread} | {beside} |")


def _measure(given):
    """Returns the images/s through the network."""
    take = {"ours": _ours, "torch": _torch}[given.measure](given)
    take(given.steps)
    start = time.perf_counter()
    take(given.steps)
    return given.steps * 2 * given.batch / (time.perf_counter() - start)


def _ours(given):
    import jax
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    model = step_sides.keras_model(DEPTH)
    batch = tuple(map(jax.device_put, step_sides.batch(given.batch, given.image_size)))

    def take(steps):
        model.fit((batch for _ in range(steps)), steps_per_epoch=steps, verbose=0)
        jax.block_until_ready([variable.value for variable in model.variables])

    return take


def _torch(given):
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    model = step_sides.torch_model(DEPTH).to(device)
    optimizer = step_sides.torch_optimizer(model.parameters())
    compiled = torch.compile(model, mode=given.compile_mode)
    batch = step_sides.batch(given.batch, given.image_size)
    images, labels = (torch.from_numpy(array).to(device) for array in batch)
    # PyTorch's channels-last is [B, H, W, C] in memory.
    images = images.permute(0, 3, 1, 2)

    def take(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            with torch.autocast(device, torch.bfloat16):
                loss = compiled(images, labels)
            loss.backward()
            optimizer.step()
        loss.item()

    return take


if __name__ == "__main__":
    main()
