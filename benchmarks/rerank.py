"""Measures re-ranking on test photographs, by settings chosen on training photographs.

    python benchmarks/rerank.py --dataset flowers17 --data-dir FOLDER --backbone FOLDER

The settings are chosen on photographs of the training split alone, of which each is searched for
among the others: those that the model was not trained on, which is all of them for a frozen
backbone. With `--protocol zero-shot` they are of other classes than the test. Their number of
neighbors is chosen first, then the weight, then the shortlist, by Recall@1 + mAP. Then the test is
measured once by what was chosen, and by the defaults, with the CPU's seconds of both rankings
together. One center crop per photograph.
"""

import argparse
import dataclasses
import itertools
import pathlib
import time

import numpy as np

import nfl_keras as nfl
from nfl_keras.retrieval import AlphaQueryExpansion, KReciprocal, RetrievalTask
from nfl_keras.training.load_learner import load_learner


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--protocol", choices=("fine-grained", "zero-shot"), default="zero-shot")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--backbone", help="a preset with an input of (x - 127) / 128, frozen")
    model.add_argument("--trained", type=pathlib.Path, help="a .keras file of a run")
    parser.add_argument("--validation-classes", type=int, help="those of the run of --trained")
    parser.add_argument("--seed", type=int, default=0, help="of the split (default: 0)")
    parser.add_argument("--queries", type=int, default=300, help="to choose by (default: 300)")
    parser.add_argument("--rerank", nargs="+", help="measure these on the test, and choose nothing")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    of_split = {
        name: dataset.split(name, given.protocol, given.seed)
        for name in ("train", "query", "gallery")
    }
    embedder = _embedder(given)
    measured = given.rerank
    if measured is None:
        chosen = _choose(embedder, of_split["train"], given)
        measured = [*chosen, AlphaQueryExpansion(), KReciprocal()]
    task = RetrievalTask(of_split["query"], of_split["gallery"])
    print(f"\ntest: {task.description}")
    found = task.embed(embedder, crops=1)
    seconds, plain = _timed(task.evaluate, *found)
    print(f"{'not re-ranked':<58}{_text(plain)}  {seconds:6.1f} s", flush=True)
    for rerank in measured:
        seconds, report = _timed(task.evaluate, *found, rerank)
        print(f"{rerank!s:<58}{_text(report.reranked)}  {seconds:6.1f} s", flush=True)


def _choose(embedder, train, given):
    """Prints every setting that is tried, and returns the best of each re-ranking."""
    held = train
    if given.validation_classes:
        _, held = nfl.data.hold_out_classes(train, given.validation_classes, given.seed)
    vectors = nfl.retrieval.embed(embedder, held, crops=1)
    drawn = np.random.default_rng(0).permutation(len(held))[: given.queries]
    print(f"{len(drawn)} queries among {len(held)} training photographs, 1 crop", flush=True)

    def measure(rerank):
        report = nfl.retrieval.evaluate(
            vectors[drawn],
            held.labels[drawn],
            vectors,
            held.labels,
            held.ids[drawn],
            held.ids,
            rerank=rerank,
        )
        shown = report if rerank is None else report.reranked
        print(f"{rerank!s:<58}{_text(shown)}", flush=True)
        return shown.recall_at[1] + shown.map

    measure(None)
    expansions = itertools.product((1, 2, 3, 5, 10, 20), (0.0, 1.0, 3.0, 6.0))
    expansion = max((AlphaQueryExpansion(*both) for both in expansions), key=measure)
    numbers = itertools.product((5, 10, 20, 30), (1, 3, 6))
    settings = [KReciprocal(k1, k2, shortlist=200) for k1, k2 in numbers if k2 <= k1]
    best = max(settings, key=measure)
    for name, values in {
        "weight": (0.1, 0.3, 0.5, 0.7, 0.9),
        "shortlist": (50, 100, 200, 400),
    }.items():
        best = max((dataclasses.replace(best, **{name: value}) for value in values), key=measure)
    print(f"chosen: {expansion}\nchosen: {best}", flush=True)
    return expansion, best


def _timed(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return time.process_time() - start, result


def _text(report):
    return f"Recall@1 {report.recall_at[1]:.4f}  mAP {report.map:.4f}"


def _embedder(given):
    if given.trained is not None:
        return load_learner(given.trained).embedder
    return nfl.models.Embedder(given.backbone, None, 224, 0.0078125, -0.9921875)


if __name__ == "__main__":
    main()
