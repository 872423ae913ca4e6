"""Measures what embedding a photograph costs on a CPU, by backbone.

    python benchmarks/backbones.py --images cars196_part/cars_train --runs 5

Each backbone has its published shape and random weights, which cost what learned ones do, and
embeds batches of 32 crops of 224 pixels. Each measurement has a process of its own, with one or
two threads, and the backbones alternate. Core-seconds are processor time, which other programs on
the machine change little, and memory is the most that the process held. "decode" reads the files
of a folder and makes one crop of each, and embeds nothing.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

BATCH, SIZE = 32, 224
VIT_S = {"num_layers": 12, "hidden_dim": 384, "num_heads": 6, "intermediate_dim": 1536}
VIT_B = {"num_layers": 12, "hidden_dim": 768, "num_heads": 12, "intermediate_dim": 3072}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, help="folder of photographs, to decode")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        name, threads = given.measure
        print(json.dumps(_measure(name, int(threads), given.images)))
        return
    measured = {}
    for _ in range(given.runs):
        for name in given.only:
            for threads in (1, 2):
                command = [sys.executable, *sys.argv, "--measure", name, str(threads)]
                answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(answer.stdout.splitlines()[-1])
                measured.setdefault((name, threads), []).append(found)
                print(name, threads, found, file=sys.stderr, flush=True)
    print("| backbone | D | MB | threads | core-seconds/image (least-most) | images/s |")
    print("|---|---|---|---|---|---|")
    for (name, threads), found in measured.items():
        cores = [one["core"] for one in found]
        core = statistics.median(cores)
        memory = statistics.median(one["megabytes"] for one in found)
        spread = f"{core:.4f} ({min(cores):.4f}-{max(cores):.4f})"
        dim = found[0]["dim"]
        print(f"| {name} | {dim} | {memory:,.0f} | {threads} | {spread} | {1 / core:.1f} |")


def _measure(name, threads, images):
    import numpy as np
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    from nfl_keras.retrieval.predict_crops import predict_function

    if name == "decode":
        dim, count, work = None, *_decoding(images)
    else:
        from nfl_keras.models import Embedder

        embedder = Embedder(_backbone(name), None, image_size=SIZE)
        predict = predict_function(embedder)
        pixels = np.random.default_rng(0).uniform(0, 255, (BATCH, SIZE, SIZE, 3))
        pixels = tf.constant(pixels, tf.float32)
        dim, count = embedder.output_shape[-1], BATCH
        work = lambda: np.asarray(predict(pixels))  # noqa: E731
    work()  # Functions are traced, and files read from the disk.
    done, start = 0, time.process_time()
    while time.process_time() - start < 4:
        work()
        done += count
    core = (time.process_time() - start) / done
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"dim": dim, "core": core, "megabytes": most}


def _decoding(images):
    from nfl_keras.data import inference_batches
    from nfl_keras.data.sources.file_set import file_set

    root = pathlib.Path(images)
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*.jpg"))[:256]
    batches = inference_batches(file_set(root, names, [0] * len(names), ["all"]), SIZE, 1, BATCH)
    return len(names), lambda: [batch.shape for batch in batches]


def _backbone(name):
    import keras_hub

    models = keras_hub.models
    if name == "EfficientNet-Lite0":
        return models.EfficientNetBackbone(
            stackwise_width_coefficients=[1.0] * 7,
            stackwise_depth_coefficients=[1.0] * 7,
            stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
            stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
            stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
            stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
            stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
            stackwise_squeeze_and_excite_ratios=[0] * 7,
            stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
            stackwise_block_types=["v1"] * 7,
            activation="relu6",
            dropout=0,
        )
    if name.startswith("ResNet"):
        basic, blocks = RESNETS[name]
        return models.ResNetBackbone(
            input_conv_filters=[64],
            input_conv_kernel_sizes=[7],
            stackwise_num_filters=[64, 128, 256, 512],
            stackwise_num_blocks=blocks,
            stackwise_num_strides=[1, 2, 2, 2],
            block_type="basic_block" if basic else "bottleneck_block",
        )
    shape = (SIZE, SIZE, 3)
    if name == "ViT-B/16":
        return models.ViTBackbone(
            image_shape=shape,
            patch_size=16,
            num_layers=12,
            num_heads=12,
            hidden_dim=768,
            mlp_dim=3072,
        )
    size = VIT_S if "-S/" in name else VIT_B
    if name.startswith("DINOv2"):
        return models.DINOV2Backbone(patch_size=14, image_shape=shape, **size)
    return models.DINOV3Backbone(patch_size=16, image_shape=shape, **size)


RESNETS = {
    "ResNet-18": (True, [2, 2, 2, 2]),
    "ResNet-50": (False, [3, 4, 6, 3]),
    "ResNet-101": (False, [3, 4, 23, 3]),
}
DINOS = ("DINOv2-S/14", "DINOv2-B/14", "DINOv3-S/16", "DINOv3-B/16")
NAMES = ["decode", "EfficientNet-Lite0", *RESNETS, "ViT-B/16", *DINOS]

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
