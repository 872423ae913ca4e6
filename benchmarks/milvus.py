"""Measures a gallery in Milvus beside one in a folder: commits, searches, bytes, and the answers.

    pip install 'nfl_keras[milvus]'
    python benchmarks/milvus.py --photographs 10000 60000
    python benchmarks/milvus.py --photographs 10000 60000 --server milvus://localhost:19530

No photograph is embedded: the vectors are random unit vectors. Without `--server`, Milvus is
milvus-lite, which runs in this process. A commit writes all photographs into a new gallery, or
replaces 1 % of them. A search is `gallery.search` of vectors for ten answers, among all photographs
or a tenth of them by a condition on the metadata. The answers of both must be the same. The sides
alternate, and each figure is the median of `--runs`, with the least and the most. The CPU's time
is that of this process, all threads together, and of milvus-lite, but not of a server.
"""

import argparse
import functools
import pathlib
import statistics
import tempfile
import time

import numpy as np
import pyarrow as pa

from nfl_keras.gallery import Gallery
from nfl_keras.gallery.storage.manifest import Manifest
from nfl_keras.gallery.storage.open_store import open_store

SIDES = ("folder", "milvus")
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
                _spread([run[side].get(name) for run in runs]) for side in ("folder", "milvus")
            ]
            print(f"| {count:,} | {name} | {shown[0]} | {shown[1]} |", flush=True)


def _spread(values):
    if None in values:
        return "not measured"
    figures = [summary(values) for summary in (statistics.median, min, max)]
    middle, least, most = (f"{x:,.0f}" if x >= 100 else f"{x:.3g}" for x in figures)
    return f"{middle} ({least} to {most})"


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
    figures, answers = {}, []

    def note(what, count, work):
        """Notes how often a second has time for what work does, and the CPU's time for each."""
        start, processor = time.perf_counter(), time.process_time()
        done = work()
        figures[f"{what}, a second"] = count / (time.perf_counter() - start)
        figures[f"{what}, CPU ms"] = 1000 * (time.process_time() - processor) / count
        return done

    note("photographs committed", count, lambda: _commit(uri, manifest, items, vectors))
    changed = rng.permutation(count)[: count // 100]
    vectors[changed] = _unit(rng, len(changed), dimension)
    digests = items["sha256"].to_pylist()
    for row in changed:
        digests[row] = b"changed ".ljust(32)
    items = items.set_column(5, "sha256", pa.array(digests, pa.binary(32)))
    note("commits of 1 %", 1, lambda: _commit(uri, manifest, items, vectors))
    gallery = note("galleries opened", 1, lambda: Gallery.open(uri))
    gallery.search(queries[:1], k=10)
    for where, what in ((None, "among all"), (WHERE, "among a tenth")):
        search = functools.partial(gallery.search, k=10, where=where)
        note(f"single queries {what}", SINGLE, lambda s=search: [s(q) for q in queries[:SINGLE]])
        matches = note(f"queries {what}, 100 at once", TOGETHER, lambda s=search: s(queries))
        answers.append([[(match.id, match.similarity) for match in found] for found in matches])
    return figures, answers


def _commit(uri, manifest, items, vectors):
    with open_store(uri).locked() as store:
        if store.exists:
            store.read()  # As an index does, to find what has changed.
        store.commit(manifest, items, items.slice(0, 0), vectors)


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
