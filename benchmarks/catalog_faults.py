"""Searches a dataset for its own faults, by a pretrained backbone as it is, and writes a page.

    python benchmarks/catalog_faults.py --dataset flowers17 --data-dir FOLDER --backbone FOLDER \
      --page faults.html

It prints the duplicates, what stands in two splits of the dataset's usual protocol, the suspect
labels, and how many pairs there are at several similarities. It also gives 5 % of the photographs
another label, and prints how many of them are suspects. One center crop per photograph.
"""

import argparse
import collections
import dataclasses
import hashlib

import numpy as np

import nfl_keras as nfl
from nfl_keras.gallery.faults.catalog import Catalog
from nfl_keras.gallery.faults.duplicates import duplicates
from nfl_keras.gallery.faults.leaks import leaks_between_splits
from nfl_keras.gallery.faults.similar_pairs import similar_pairs
from nfl_keras.gallery.faults.suspects import suspects
from nfl_keras.gallery.faults.write_fault_page import write_fault_page


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument(
        "--backbone", required=True, help="a preset with an input of (x - 127) / 128"
    )
    parser.add_argument("--seeds", type=int, default=5, help="number of splits (default: 5)")
    parser.add_argument("--page", default="faults.html", help="the page (default: faults.html)")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    embedder = nfl.models.Embedder(
        given.backbone, embedding_dim=None, pixel_scale=0.0078125, pixel_offset=-0.9921875
    )
    catalog = catalog_of(dataset.whole, nfl.retrieval.embed(embedder, dataset.whole, crops=1))
    copies, wrong = duplicates(catalog), suspects(catalog)
    splits = [splits_of(dataset, seed) for seed in range(given.seeds)]
    leaked = [leaks_between_splits(catalog, split) for split in splits]
    print(copies, wrong, sep="\n\n")
    for seed, found in enumerate(leaked):
        between = collections.Counter(
            " - ".join(sorted({member.photograph.part for member in group.members}))
            for group in found.groups
        )
        print(f"\nsplit seed {seed}: {found.summary}\nbetween: {dict(between)}")
    print_pairs(catalog)
    print_planted(catalog)
    whole = dataset.whole
    write_fault_page(
        given.page,
        copies,
        leaked[0],
        wrong,
        title=given.dataset,
        summary=f"{len(whole):,} photographs of {whole.num_classes:,} classes",
    )


def catalog_of(image_set, vectors):
    return Catalog(
        ids=image_set.ids,
        labels=[image_set.class_names[label] for label in image_set.labels],
        hashes=[hashlib.sha256(image_set.read(i)).hexdigest() for i in range(len(image_set))],
        vectors=vectors,
        read=image_set.read,
    )


def splits_of(dataset, seed):
    """The name of each photograph's split by the dataset's usual protocol."""
    names = np.full(len(dataset.whole), "", dtype="U8")
    for name in ("train", "gallery", "query"):
        inside = np.isin(dataset.whole.ids, dataset.split(name, seed=seed).ids)
        names[inside] = np.where(names[inside] == "", name, "test")
    return names


def print_pairs(catalog):
    first, second, similarities = map(
        np.concatenate, zip(*similar_pairs(catalog, 0.85), strict=True)
    )
    labels = np.array(catalog.labels)
    other = labels[first] != labels[second]
    print("\nsimilarity or more, pairs, of them with different labels")
    for least in (0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.85):
        there = similarities >= least
        print(f"{least:.2f} {there.sum():,} {(there & other).sum():,}")


def print_planted(catalog):
    rng = np.random.default_rng(0)
    wrong = rng.permutation(len(catalog))[: len(catalog) // 20]
    labels = np.array(catalog.labels)
    for position in wrong:
        labels[position] = rng.choice(np.setdiff1d(catalog.labels, labels[position]))
    planted = {str(catalog.ids[position]) for position in wrong}
    print()
    for k in (3, 5, 10):
        found = suspects(dataclasses.replace(catalog, labels=labels.tolist()), k)
        ids = {suspect.photograph.id for suspect in found.suspects}
        print(f"k = {k}: {len(ids)} suspects, {len(ids & planted)} of {len(planted)} planted")


if __name__ == "__main__":
    main()
