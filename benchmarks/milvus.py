"""Measures a gallery in Milvus beside one in a folder: commits, searches, bytes, and the answers.

    pip install 'nfl_keras[milvus]'
    python benchmarks/milvus.py --photographs 10000 60000
    python benchmarks/milvus.py --photographs 10000 60000 --server milvus://localhost:19530

No photograph is embedded: the vectors are random unit vectors. Without `--server`, Milvus is
milvus-lite, which runs in this process. "commit" writes all photographs into a new gallery,
"commit of 1 %" replaces that share of them. A search is `gallery.search` of vectors for ten
answers, one query at a time or 100 at once, of all photographs or of a tenth of them by a condition
on the metadata. "open and search" opens the gallery anew for one search. The answers of both must
be the same. The sides alternate, and each figure is the median of `--runs`.
"""

import argparse
import pathlib
import statistics
import tempfile
import time

import numpy as np
import pyarrow as pa

from nfl_keras.gallery import Gallery
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.open_store import open_store

SINGLE, TOGETHER = 20, 100
WHERE = "share < 10"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=int, nargs="+", default=[10_000, 60_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server", help="milvus://HOST:PORT (default: milvus-lite)")
    given = parser.parse_args()
    print("| photographs | | folder | Milvus |\n|---|---|---|---|")
    for count in given.photographs:
        runs = [_run(count, given.dimension, given.server) for _ in range(given.runs)]
        for name in runs[0]["folder"]:
            shown = [
                f"{statistics.median(run[side][name] for run in runs):,.0f} "
                f"({min(run[side][name] for run in runs):,.0f} to "
                f"{max(run[side][name] for run in runs):,.0f})"
                for side in ("folder", "milvus")
            ]
            print(f"| {count:,} | {name} | {shown[0]} | {shown[1]} |", flush=True)


def _run(count, dimension, server):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        # milvus-lite holds a database as long as the process lives, so each run has its own.
        database = server or f"milvus://{root}/{count}.db"
        uris = {"folder": root / "gallery", "milvus": f"{database}/benchmark"}
        measured, answers = {}, {}
        for side, uri in uris.items():
            measured[side], answers[side] = _measure(uri, count, dimension)
            if not (side == "milvus" and server):
                written = root / ("gallery" if side == "folder" else f"{count}.db")
                size = sum(file.stat().st_size for file in written.rglob("*") if file.is_file())
                measured[side]["bytes on disk per photograph"] = size / count
        for mine, its in zip(*answers.values(), strict=True):
            assert mine == its, "the answers differ"
        return measured


def _measure(uri, count, dimension):
    rng = np.random.default_rng(0)
    items, vectors = _drawn(rng, count, dimension)
    queries = _unit(rng, TOGETHER, dimension)
    manifest = Manifest("none", [[1.0] + [0.0] * (dimension - 1)], 3, "float32", None)
    figures = {}
    seconds = _commit(uri, manifest, items, vectors)
    figures["commit, photographs/s"] = count / seconds
    changed = rng.permutation(count)[: count // 100]
    vectors[changed] = _unit(rng, len(changed), dimension)
    digests = items["sha256"].to_pylist()
    for row in changed:
        digests[row] = b"changed ".ljust(32)
    items = items.set_column(5, "sha256", pa.array(digests, pa.binary(32)))
    figures["commit of 1 %, ms"] = 1000 * _commit(uri, manifest, items, vectors)
    start = time.perf_counter()
    gallery = Gallery.open(uri)
    gallery.search(queries[:1], k=10)
    figures["open and search, ms"] = 1000 * (time.perf_counter() - start)
    answers = []
    for where, what in ((None, "all"), (WHERE, "a tenth")):
        start = time.perf_counter()
        for query in queries[:SINGLE]:
            gallery.search(query, k=10, where=where)
        figures[f"single queries/s, {what}"] = SINGLE / (time.perf_counter() - start)
        start = time.perf_counter()
        matches = gallery.search(queries, k=10, where=where)
        figures[f"queries/s, {TOGETHER} at once, {what}"] = TOGETHER / (time.perf_counter() - start)
        answers.append([[(match.id, match.similarity) for match in found] for found in matches])
    return figures, answers


def _commit(uri, manifest, items, vectors):
    with open_store(uri).locked() as store:
        start = time.perf_counter()
        if store.exists:
            store.read()  # As an index does, to find what has changed.
        store.commit(manifest, items, items.slice(0, 0), vectors)
        return time.perf_counter() - start


def _drawn(rng, count, dimension):
    items = {
        "id": [f"photographs/{number:08d}.jpg" for number in range(count)],
        "label": [f"class {number % 1000}" for number in range(count)],
        "share": rng.integers(0, 100, count),
        "bytes": rng.integers(0, 2**24, count),
        "modified": rng.integers(0, 2**60, count),
        "sha256": pa.array([rng.bytes(32) for _ in range(count)], pa.binary(32)),
    }
    return pa.table(items), _unit(rng, count, dimension)


def _unit(rng, count, dimension):
    vectors = rng.standard_normal((count, dimension), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
