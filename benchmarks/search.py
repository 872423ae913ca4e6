"""Measures exact search in a gallery beside its peers: queries per second, memory, and the results.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/search.py --photographs 60502 --dimension 512 --queries 1000
    python benchmarks/search.py --photographs 1000000 --dimension 256 --queries 200

The vectors are random unit vectors. "ours" is `gallery.search` of vectors, with ids and metadata
as an Arrow table; "faiss" is `IndexFlatIP.search`, which returns positions; "numpy" is a product
and `argpartition`, by blocks of queries; "milvus-lite" and "lancedb" search without an index, and
return ids. "ours, 10 %" searches only among a tenth of the photographs, by a condition on the
metadata.

Each measurement has its own process, and is the median of three searches (one of the slow peers);
the sides alternate. Memory is the process' peak, less
what it held before it opened its data: ours holds the metadata of all photographs, and up to
256 MiB of the vectors, which are in a mapped file. The results of all sides must be those of
faiss, but for ties.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

FILTERS = {"ours, 50 %": 50, "ours, 10 %": 10, "ours, 1 %": 1}
PEERS = ("milvus-lite", "lancedb")
SIDES = ("ours", *FILTERS, "faiss", "numpy", *PEERS)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=int, default=60_502)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--queries", type=int, default=1000)
    peers = "queries to milvus-lite and lancedb, which are slow"
    parser.add_argument("--peer-queries", type=int, default=20, help=peers)
    parser.add_argument("-k", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        folder, side, k, count = given.measure
        print(json.dumps(_measure(pathlib.Path(folder), side, int(k), int(count))))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepared = folder, given.photographs, given.dimension, given.queries, given.sides
        # milvus-lite keeps its lock as long as the process lives.
        child = multiprocessing.get_context("spawn").Process(target=_prepare, args=prepared)
        child.start()
        child.join()
        measured = {(k, side): [] for k in given.k for side in given.sides}
        for run in range(given.runs):
            for (k, side), results in measured.items():
                count = given.peer_queries if side in PEERS else given.queries
                asked = ["--measure", name, side, str(k), str(count)]
                command = [sys.executable, sys.argv[0], *asked]
                finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                results.append(json.loads(finished.stdout.splitlines()[-1]))
                print(run, k, side, results[-1], file=sys.stderr, flush=True)
        _compare(folder, given)
    print("| k | | queries/s, median (least to most) | MiB, median | speed beside faiss |")
    print("|---|---|---|---|---|")
    for (k, side), results in measured.items():
        speeds, mebibytes = zip(*results, strict=True)
        spread = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})"
        beside = "-"
        if (k, "faiss") in measured:
            pairs = zip(results, measured[k, "faiss"], strict=True)
            beside = f"{statistics.median(its[0] / peer[0] for its, peer in pairs):.2f}"
        print(f"| {k:,} | {side} | {spread} | {statistics.median(mebibytes):,.0f} | {beside} |")


def _prepare(folder, count, dimension, queries, sides):
    import numpy as np
    import pyarrow as pa

    from nfl_keras.gallery.storage.folder.gallery_folder import GalleryFolder
    from nfl_keras.gallery.storage.manifest import Manifest

    rng = np.random.default_rng(0)
    vectors = _unit(rng, count, dimension)
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "queries.npy", _unit(rng, queries, dimension))
    ids = pa.array([f"photographs/{i:08d}.jpg" for i in range(count)], pa.string())
    items = pa.table(
        {
            "id": ids,
            "label": pa.array([f"class {i % 1000}" for i in range(count)], pa.string()),
            "share": pa.array(rng.integers(0, 100, count)),
            "bytes": pa.nulls(count, pa.int64()),
            "modified": pa.nulls(count, pa.int64()),
            "sha256": pa.nulls(count, pa.binary(32)),
        }
    )
    gallery = GalleryFolder(folder / "gallery")
    first = [1.0] + [0.0] * (dimension - 1)
    with gallery.locked():
        manifest = Manifest("none", [first], 3, "float32", None)
        gallery.commit(manifest, items, items.slice(0, 0), vectors)
    if "milvus-lite" in sides:
        import pymilvus

        client = pymilvus.MilvusClient(str(folder / "milvus.db"))
        schema = client.create_schema()
        schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
        schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=dimension)
        index = client.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection("c", schema=schema, index_params=index)
        for start in range(0, count, 10_000):
            rows = vectors[start : start + 10_000]
            client.insert(
                "c", [{"id": start + i, "vector": row.tolist()} for i, row in enumerate(rows)]
            )
        client.close()
    if "lancedb" in sides:
        import lancedb

        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)
        table = pa.table({"id": ids, "vector": flat})
        lancedb.connect(folder / "lance").create_table("c", table)


def _unit(rng, count, dimension):
    import numpy as np

    vectors = rng.standard_normal((count, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _measure(folder, side, k, count):
    """Returns queries per second and the peak memory in MiB, and keeps the positions."""
    import numpy as np

    queries = np.load(folder / "queries.npy")[:count]
    opener = {"faiss": _faiss, "numpy": _numpy, "milvus-lite": _milvus, "lancedb": _lance}
    search = opener.get(side, _ours)(folder, side)
    search(queries[:2], k)
    turns = []
    for _ in range(1 if side in PEERS else 3):
        start = time.perf_counter()
        found = search(queries, k)
        turns.append(time.perf_counter() - start)
    seconds = statistics.median(turns)
    np.save(folder / f"found-{side}-{k}.npy", found)
    return len(queries) / seconds, (_memory("VmHWM") - _held) / 1024


def _note_memory():
    """Notes what the process holds before it opens its data, and forgets its peak until now."""
    global _held
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    _held = _memory("VmRSS")


def _ours(folder, side):
    from nfl_keras.gallery import Gallery

    _note_memory()
    gallery = Gallery.open(folder / "gallery")
    where = f"share < {FILTERS[side]}" if side in FILTERS else None

    def search(queries, k):
        matches = gallery.search(queries, k, where)
        matches.to_arrow()
        return matches.positions

    return search


def _faiss(folder, _):
    import faiss
    import numpy as np

    _note_memory()
    count, dimension = np.load(folder / "vectors.npy", mmap_mode="r").shape
    index = faiss.IndexFlatIP(dimension)
    with open(folder / "vectors.npy", "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        for _ in range(0, count, 10_000):  # So that it holds the vectors once.
            rows = np.fromfile(file, np.float32, 10_000 * dimension)
            index.add(rows.reshape(-1, dimension))
    return lambda queries, k: index.search(queries, k)[1]


def _numpy(folder, _):
    import numpy as np

    _note_memory()
    vectors = np.load(folder / "vectors.npy")

    def search(queries, k):
        found = []
        for start in range(0, len(queries), 64):
            product = queries[start : start + 64] @ vectors.T
            best = np.argpartition(-product, k, axis=1)[:, :k]
            order = np.argsort(-np.take_along_axis(product, best, axis=1), axis=1)
            found.append(np.take_along_axis(best, order, axis=1))
        return np.concatenate(found)

    return search


def _milvus(folder, _):
    import numpy as np
    import pymilvus

    _note_memory()
    client = pymilvus.MilvusClient(str(folder / "milvus.db"))
    client.load_collection("c")

    def search(queries, k):
        found = client.search("c", queries.tolist(), limit=k)
        return np.array([[hit["id"] for hit in hits] for hits in found])

    return search


def _lance(folder, _):
    import lancedb
    import numpy as np

    _note_memory()
    table = lancedb.connect(folder / "lance").open_table("c")

    def search(queries, k):
        found = []
        for query in queries:
            hits = table.search(query).distance_type("dot").limit(k).select(["id"]).to_arrow()
            found.append([int(os.path.basename(i)[:8]) for i in hits["id"].to_pylist()])
        return np.array(found)

    return search


def _compare(folder, given):
    """Checks that all sides that search everything find what faiss finds, but for ties."""
    import numpy as np

    queries, vectors = np.load(folder / "queries.npy"), np.load(folder / "vectors.npy")
    for k in given.k:
        for side in set(given.sides) - set(FILTERS):
            found = np.load(folder / f"found-{side}-{k}.npy")
            expected = np.load(folder / f"found-{given.sides[0]}-{k}.npy")
            for query, ours, theirs in zip(queries, found, expected, strict=False):
                similar = vectors[ours] @ query, vectors[theirs] @ query
                np.testing.assert_allclose(*similar, atol=2e-6, err_msg=f"{side}, k = {k}")


def _memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


if __name__ == "__main__":
    main()
