"""Compares what the projection of an embedder may begin with, on classes held out of training.

    python benchmarks/projection.py --dataset cars196 --data-dir FOLDER --backbone FOLDER

It prints Recall@1 and mAP of the frozen backbone's pooled features, of a random projection, and of
principal components with several degrees of whitening, none of them trained. The components are of
the training classes that are left. One center crop per photograph.
"""

import argparse

import keras
import numpy as np

import nfl_keras as nfl

DIMENSIONS = (128, 256, 512)
WHITENING = (0.0, 0.25, 0.5, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument(
        "--backbone", required=True, help="a preset with an input of (x - 127) / 128"
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of splits (default: 3)")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    train = dataset.split("train", "zero-shot", 0)
    features = nfl.retrieval.pooled_features(_embedder(given.backbone, None), train)
    for seed in range(given.seeds):
        left, held = nfl.data.hold_out_validation(train, "zero-shot", seed)
        of = {
            name: features[np.isin(train.ids, part.ids)]
            for name, part in (("left", left), ("held", held))
        }
        print(f"\nseed {seed}: {held.description}")
        _print("frozen", of["held"], held.labels)
        for dimensions in DIMENSIONS:
            keras.utils.set_random_seed(seed)
            embedder = _embedder(given.backbone, dimensions)
            _print(f"{dimensions}, random", _project(embedder, of["held"]), held.labels)
            for whitening in WHITENING:
                nfl.models.start_with_pca(embedder, of["left"], whitening)
                name = f"{dimensions}, pca, whitening {whitening:g}"
                _print(name, _project(embedder, of["held"]), held.labels)


def _embedder(backbone, dimensions):
    return nfl.models.Embedder(backbone, dimensions, 224, 0.0078125, -0.9921875)


def _project(embedder, features):
    return keras.ops.convert_to_numpy(embedder.project(features))


def _print(name, vectors, labels):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    report = nfl.retrieval.evaluate(unit, labels)
    print(f"{name:<28} Recall@1 {report.recall_at[1]:.3f}  mAP {report.map:.3f}", flush=True)


if __name__ == "__main__":
    main()
