"""Compares descriptors that need no training: of pixels, and of a frozen backbone's feature maps.

    pip install 'nfl_keras[descriptors]'
    python benchmarks/descriptors.py --dataset flowers17 --data-dir FOLDER --backbone FOLDER

It prints mAP and Recall@1 of each descriptor under the dataset's usual protocol, as means and
standard deviations over the splits, and the processor's milliseconds per photograph: all of its
threads for reading and the network, and one for a descriptor of what these give. Three crops of 224
pixels per photograph. Whitening is learned from the center crops of the training photographs of
each split. It has 256 dimensions, or as many as are best on photographs held out of training.
"""

import argparse
import functools
import time

import numpy as np

import nfl_keras as nfl
from nfl_keras.progress import Progress
from nfl_keras.retrieval import RetrievalTask
from nfl_keras.retrieval.descriptors import (
    PCAWhitening,
    average_pooling,
    crow,
    describe,
    feature_maps,
    hog,
    lbp,
    regional_maxima,
    scda,
    spoc,
)
from nfl_keras.retrieval.descriptors.sum_of_parts import sum_of_parts

OF_MAPS = {
    "average pooling": average_pooling,
    "SPoC": spoc,
    "CroW": crow,
    "R-MAC": regional_maxima,
    "SCDA": scda,
}
OF_PIXELS = {"LBP": lbp, "HOG": hog}
WHITENED = ("average pooling", "SPoC", "CroW", "R-MAC")
CROPS = 3
DIMENSIONS = (16, 32, 64, 128, 256)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument(
        "--backbone", required=True, help="a preset with an input of (x - 127) / 128"
    )
    parser.add_argument("--seeds", type=int, default=1, help="number of splits (default: 1)")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    embedder = nfl.models.Embedder(given.backbone, None, 224, 0.0078125, -0.9921875)
    vectors = _described(dataset.whole, embedder)
    rows = {}
    for seed in range(given.seeds):
        train, query, gallery = (dataset.split(s, seed=seed) for s in ("train", "query", "gallery"))
        task = RetrievalTask(query, gallery)
        left, held = nfl.data.hold_out_validation(train, dataset.protocol, seed)
        print(f"{task.description}; dimensions chosen on {held.description}", flush=True)
        for name, of_all in vectors.items():
            of = {"query": query, "gallery": gallery, "train": train, "left": left, "held": held}
            of = {part: of_all[np.isin(dataset.whole.ids, s.ids)] for part, s in of.items()}
            _measure(rows, name, task, of)
            if name in WHITENED:
                chosen = _chosen(of, RetrievalTask(held, held))
                whitening = PCAWhitening(_centers(of["train"]), max(DIMENSIONS))
                whitened = {part: whitening(of[part]) for part in ("query", "gallery")}
                _measure(rows, f"{name}, whitened", task, whitened)
                _measure(rows, f"{name}, whitened, dimensions chosen", task, whitened, chosen)
    for version, measured in rows.items():
        dimensions = ", ".join(f"{d:,}" for d in dict.fromkeys(d for d, *_ in measured))
        means = [f"{mean:.3f}" for mean in np.mean(measured, axis=0)[1:]]
        if len(measured) > 1:
            spread = np.std(measured, axis=0, ddof=1)[1:]
            means = [f"{mean} ± {d:.3f}" for mean, d in zip(means, spread, strict=True)]
        print(f"| {version} | {dimensions} | {' | '.join(means)} |")


def _chosen(of, task):
    """The number of components that is best on photographs held out of training."""
    whitened = PCAWhitening(_centers(of["left"]), max(DIMENSIONS))(of["held"])
    # The first components are those of a whitening to as many dimensions.
    reports = {d: task.evaluate(*2 * [sum_of_parts(whitened[..., :d])]) for d in DIMENSIONS}
    return max(reports, key=lambda d: reports[d].recall_at[1] + reports[d].map)


def _measure(rows, version, task, of, dimensions=None):
    query, gallery = (sum_of_parts(of[part][..., :dimensions]) for part in ("query", "gallery"))
    report = task.evaluate(query, gallery)
    rows.setdefault(version, []).append((query.shape[1], report.map, report.recall_at[1]))


def _centers(vectors):
    """What whitening is learned from: the center crops, and all their regions."""
    return vectors[:, 0].reshape(-1, vectors.shape[-1])


def _described(image_set, embedder):
    """The vectors of all crops before whitening, `[N, crops, D]`, of R-MAC `[N, crops, R, D]`."""
    vectors = {name: [] for name in OF_MAPS}
    seconds = dict.fromkeys((*OF_MAPS, *OF_PIXELS), 0.0)

    def timed(name, inputs):
        start = time.thread_time()
        outputs = (OF_MAPS | OF_PIXELS)[name](inputs)
        seconds[name] += time.thread_time() - start
        return outputs

    start = time.process_time()
    with Progress(len(image_set), "photographs described") as progress:
        for maps in progress.counted(feature_maps(embedder, image_set, CROPS)):
            for name, batches in vectors.items():
                of_crops = [timed(name, of_crop) for of_crop in maps.swapaxes(0, 1)]
                batches.append(np.stack(of_crops, axis=1))
    taken = time.process_time() - start - sum(seconds.values())
    vectors = {name: np.concatenate(batches) for name, batches in vectors.items()}
    for name in OF_PIXELS:
        descriptor = functools.partial(timed, name)
        vectors[name] = describe(image_set, descriptor, crops=CROPS)[:, None]
    for name, total in {"reading and network": taken, **seconds}.items():
        print(f"{name}: {1000 * total / len(image_set):.2f} ms a photograph", flush=True)
    return vectors


if __name__ == "__main__":
    main()
