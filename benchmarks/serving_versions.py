"""Runs an exported model in this process' TensorFlow, which may be older than the one it is from.

TensorFlow Serving X.Y runs a graph as TensorFlow X.Y does. In an environment of its own, it needs
TensorFlow alone:

    python benchmarks/serving_versions.py models/embedder/1 embeddings.npy
    python3.11 -m venv old && old/bin/pip install tensorflow==2.12.1
    old/bin/python benchmarks/serving_versions.py models/embedder/1 embeddings.npy

The first run writes the embeddings, and each other compares its own with them.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf


def main(folder: str, path: str) -> None:
    """Embeds drawn photographs by each signature, and writes or compares the results."""
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, 256, (*side, 3), "uint8") for side in ((90, 120), (200, 64))]
    pictures = [np.repeat(np.repeat(picture, 3, 0), 3, 1) for picture in drawn]
    images = [tf.io.encode_jpeg(pictures[0]), tf.io.encode_png(pictures[1]), b"no image"]
    signatures = tf.saved_model.load(folder).signatures
    side = signatures["embed_tensor"].structured_input_signature[1]["pixels"].shape[1]
    pixels = tf.constant(generator.uniform(0, 255, (2, side, side, 3)), tf.float32)
    found = [
        *(
            signatures[name](images=tf.stack(images))
            for name in ("serving_default", "embed_center")
        ),
        signatures["embed_tensor"](pixels=pixels),
    ]
    statuses = [answer["status"].numpy().tolist() for answer in found[:2]]
    embeddings = np.concatenate([answer["embedding"].numpy() for answer in found])
    if not pathlib.Path(path).exists():
        np.save(path, embeddings)
    difference = np.abs(embeddings - np.load(path, allow_pickle=False)).max()
    print(f"TensorFlow {tf.__version__}: status {statuses}, largest difference {difference:.1e}")


if __name__ == "__main__":
    main(*sys.argv[1:])
