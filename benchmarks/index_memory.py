"""Measures the memory of a dataset index of Stanford Online Products' size.

    python benchmarks/index_memory.py

The index holds the ids and labels of an `ImageSet`, here of 60,502 made-up entries in 22,634
classes, and then of all 120,053. Measured is the index, and what `BalancedSampler` adds to it to
plan the batches of an epoch. No photograph is read.
"""

import tracemalloc

import numpy as np

from nfl_keras.data import BalancedSampler
from nfl_keras.data.sources.file_set import file_set

NUM_CLASSES = 22_634


def main():
    print("| photographs | index | built at a peak of | planning an epoch adds | batches |")
    print("|---|---|---|---|---|")
    for num_photographs in (60_502, 120_053):
        labels = np.sort(np.arange(num_photographs) % NUM_CLASSES)
        tracemalloc.start()
        image_set, built = _measured(lambda labels=labels: _entries(labels))
        sampler, _ = _measured(lambda s=image_set: BalancedSampler(s.labels, 32, 2))
        before = tracemalloc.get_traced_memory()[0]
        plan, planned = _measured(lambda s=sampler: s.epoch(0))
        index = image_set.ids.nbytes + image_set.labels.nbytes
        arrays = (value for value in vars(sampler).values() if isinstance(value, np.ndarray))
        held = sum(array.nbytes for array in arrays)
        added = planned - before + held
        print(
            f"| {num_photographs:,} | {index / 2**20:.1f} MiB | {built / 2**20:.1f} MiB | "
            f"{added / 2**20:.1f} MiB | {len(plan)} of 32 x 2 |"
        )
        tracemalloc.stop()


def _entries(labels):
    names = [f"bicycle_final/{label:012d}_{i:06d}.JPG" for i, label in enumerate(labels)]
    return file_set("photographs", names, labels, [f"{label}" for label in range(NUM_CLASSES)])


def _measured(make):
    tracemalloc.reset_peak()
    made = make()
    return made, tracemalloc.get_traced_memory()[1]


if __name__ == "__main__":
    main()
