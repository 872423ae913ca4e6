"""Measures whether explanations of answers show what a similarity rests on, and how long they take.

    python benchmarks/explain.py --dataset flowers17 --data-dir FOLDER --backbone FOLDER \
        --page explained.html

Each test photograph is searched for among the others, without its exact duplicates. The page shows
20 right and 20 wrong first answers, drawn at random. Then, for 200 queries, a part of the query is
covered by the photograph's mean color, and its similarity to the answer is measured again: the
part around the brightest cell of the map, around a random cell that a crop shows, and around the
center. It prints the seconds per pair, and by how much the similarity falls.

`--pooling inside` gives the same network as a backbone that pools by itself, which is explained by
gradients. `--projection pca` adds the projection that training begins with, 128 principal
components of the training photographs' features, with its bias.
"""

import argparse
import io
import time

import keras
import keras_hub
import numpy as np
from PIL import Image

import nfl_keras as nfl
from nfl_keras.report import Neighbor, RetrievalRow, write_search

SCALE, OFFSET = 0.0078125, -0.9921875
SAME = 0.9999  # similarity of exact duplicates
SIZES = (1, 3)  # cells on a side of what is covered


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--backbone", required=True, help="a preset, input (x - 127) / 128")
    parser.add_argument("--pooling", default="mean", choices=["mean", "max", "gem", "inside"])
    parser.add_argument("--projection", choices=["pca"])
    parser.add_argument("--crops", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--page", help="where to write the page with 20 right and 20 wrong answers")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    train, query = (dataset.split(split, "zero-shot", 0) for split in ("train", "query"))
    embedder = _embedder(given, train)
    vectors = nfl.retrieval.embed(embedder, query, given.crops)
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    similarity[similarity > SAME] = -1
    answers = similarity.argmax(axis=1)
    right = query.labels[answers] == query.labels
    print(f"{len(query)} queries, {right.mean():.3f} of the first answers are right")
    rng = np.random.default_rng(0)
    if given.page:
        shown = [rng.permutation(np.flatnonzero(kind))[:20] for kind in (right, ~right)]
        _write_page(given, embedder, query, answers, np.concatenate(shown))
    _cover(given, embedder, query, vectors, answers, rng)


def _embedder(given, train):
    backbone, pooling = keras_hub.models.Backbone.from_preset(given.backbone), given.pooling
    if pooling == "inside":
        pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
        backbone, pooling = keras.Model(backbone.input, pooled), "auto"
    dimensions = 128 if given.projection else None
    embedder = nfl.models.Embedder(backbone, dimensions, 224, SCALE, OFFSET, pooling)
    if given.projection:
        nfl.models.start_with_pca(embedder, nfl.retrieval.pooled_features(embedder, train))
    return embedder


def _write_page(given, embedder, query, answers, shown):
    rows, seconds = [], []
    for q in shown:
        photographs, names = zip(
            *((query.read(int(i)), query.class_names[query.labels[i]]) for i in (q, answers[q])),
            strict=True,
        )
        begin = time.perf_counter(), time.process_time()
        found = nfl.retrieval.explain(embedder, *photographs, given.crops)
        seconds.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
        correct = bool(query.labels[q] == query.labels[answers[q]])
        near = Neighbor(photographs[1], names[1], found.similarity, correct, found)
        rows.append(RetrievalRow(photographs[0], names[0], [near], str(query.ids[q])))
    write_search(given.page, title=given.dataset, summary=f"{len(rows)} answers.", rows=rows)
    for what, of_kind in zip(("seconds", "CPU seconds"), zip(*seconds, strict=True), strict=True):
        print(f"{what} per pair: {np.median(of_kind):.3f}, at most (the first) {max(of_kind):.3f}")


def _cover(given, embedder, query, vectors, answers, rng):
    """Prints by how much the similarity falls where a part of the query is covered."""
    pictures, kinds, pairs = [], [], []
    for q in rng.permutation(len(query))[: given.pairs]:
        contents = query.read(int(q)), query.read(int(answers[q]))
        found = nfl.retrieval.explain(embedder, *contents, given.crops)
        heat = found.maps[0]
        picture = Image.open(io.BytesIO(contents[0])).convert("RGB")
        pixels = np.asarray(
            picture.resize([round(n * 256 / min(picture.size)) for n in picture.size])
        )
        cells = {
            "brightest": np.unravel_index(heat.argmax(), heat.shape),
            "random": rng.choice(np.argwhere(heat != 0)),
            "center": tuple(side // 2 for side in heat.shape),
        }
        pictures.append(_png(pixels))
        for size in SIZES:
            pictures += [_png(_covered(pixels, heat.shape, c, size)) for c in cells.values()]
        kinds = list(cells)
        pairs.append(answers[q])
    ids = [str(number) for number in range(len(pictures))]
    covered = nfl.data.ImageSet(ids, np.zeros(len(ids), int), ["all"], pictures.__getitem__)
    of_covered = nfl.retrieval.embed(embedder, covered, given.crops)
    of_covered = of_covered.reshape(len(pairs), -1, of_covered.shape[-1])
    similarity = np.einsum("pkd,pd->pk", of_covered, vectors[pairs])
    falls = (similarity[:, :1] - similarity[:, 1:]).reshape(len(pairs), len(SIZES), len(kinds))
    print("| cells covered | brightest | random | center | above random | above center |")
    print("|---|---|---|---|---|---|")
    for size, of_size in zip(SIZES, falls.transpose(1, 0, 2), strict=True):
        means = " | ".join(f"{mean:.4f}" for mean in of_size.mean(axis=0))
        above = " | ".join(f"{(of_size[:, 0] > of_size[:, n]).mean():.1%}" for n in (1, 2))
        print(f"| {size} x {size} | {means} | {above} |", flush=True)


def _covered(pixels, grid, cell, size):
    """Covers `size` x `size` cells around one by the photograph's mean color."""
    covered = pixels.copy()
    firsts = np.clip(np.array(cell) - size // 2, 0, np.array(grid) - size)
    rows, columns = (
        slice(round(first * side / count), round((first + size) * side / count))
        for first, side, count in zip(firsts, pixels.shape, grid, strict=False)
    )
    covered[rows, columns] = pixels.mean(axis=(0, 1))
    return covered


def _png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


if __name__ == "__main__":
    main()
