"""Measures the time and the memory of the searches for a catalog's faults.

    python benchmarks/catalog_faults_memory.py --photographs 100000 --dimensions 256

The vectors are drawn at random around 1,000 class centers, 2 % of the labels are wrong, and 2 % of
the photographs are near copies. `--copies` makes all of them copies of one, so that every pair is
similar. Each search runs in a process of its own. Its memory is the peak beyond what the process
held before. Linux only.
"""

import argparse
import multiprocessing
import pathlib
import time

import numpy as np

from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.duplicates import duplicates
from nfl_keras.gallery.faults.suspects import suspects

CLASSES = 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=256)
    parser.add_argument("--copies", action="store_true", help="only copies of one photograph")
    given = parser.parse_args()
    for search in [duplicates] if given.copies else [duplicates, suspects]:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(search, given))
        process.start()
        process.join()


def measure(search, given):
    catalog = random_catalog(given.photographs, given.dimensions, given.copies)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # Forgets the peak until now.
    before, start = memory("VmRSS"), time.perf_counter()
    found = search(catalog)
    seconds = time.perf_counter() - start
    print(f"{search.__name__}: {seconds:.1f} s, {memory('VmHWM') - before:.0f} MiB of memory")
    print(found.summary)


def random_catalog(count, dimensions, copies):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, count)
    centers = rng.normal(size=(CLASSES, dimensions)).astype("float32")
    vectors = centers[labels] + rng.standard_normal((count, dimensions), dtype="float32")
    copied = count // 50
    vectors[-copied:] = vectors[:copied] + 0.1 * vectors[-copied:]
    labels[-copied:] = labels[:copied]
    if copies:
        vectors[:] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    wrong = rng.random(count) < 0.02
    labels[wrong] = rng.integers(0, CLASSES, np.count_nonzero(wrong))
    names = [f"class {label}" for label in labels]
    ids = [f"{position}.jpg" for position in range(count)]
    return Catalog(ids, names, np.arange(count), vectors, lambda position: b"")


def memory(name):
    """A figure of this process, in MiB."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main()
