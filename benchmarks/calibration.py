"""Measures whether a learned threshold holds on classes that it was not learned on.

    python benchmarks/calibration.py --dataset flowers17 --data-dir FOLDER --backbone FOLDER

The classes of a dataset are dealt to two halves by a seed. The threshold is learned from the
queries of one half, and precision and recall are measured on the queries of the other. It prints
means and standard deviations over the seeds, for three galleries: the same for both halves (all
photographs), two galleries (each half's own), and a gallery that grows (learned in the half's own,
searched in all). With `--trained RUN`, a zero-shot run of seed 0, only its test classes are dealt
and searched; with `--seen`, too, the threshold is learned on its training classes and measured on
its test classes. The figures are those of `nfl_keras.gallery.calibrating.learn_threshold`, whose
parts are called here one by one, so that one search serves all settings.
"""

import argparse
import itertools

import numpy as np

import nfl_keras as nfl
from nfl_keras.gallery.calibrating.answer_curve import AnswerCurve
from nfl_keras.gallery.calibrating.class_draws import ROUNDING, ClassDraws
from nfl_keras.gallery.calibrating.first_answers import FirstAnswers

GALLERIES = {"same": (True, True), "two": (False, False), "grows": (False, True)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir")
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument("--backbone", help="a preset with an input of (x - 127) / 128, frozen")
    model.add_argument("--trained", help="a run, see nfl.load")
    parser.add_argument("--seen", action="store_true", help="learn on the run's training classes")
    parser.add_argument("--precision", type=float, nargs="+", default=[0.9, 0.95, 0.99])
    parser.add_argument("--confidence", type=float, nargs="+", default=[0.5, 0.95])
    parser.add_argument("--absent", type=float, nargs="+", default=[0.5])
    parser.add_argument("--seeds", type=int, default=20, help="draws of the halves (default: 20)")
    given = parser.parse_args()
    dataset = nfl.data.open_dataset(given.dataset, given.data_dir, "skip")
    splits = ("query",) if given.trained and not given.seen else ("train", "query")
    parts = [dataset.split(split, "zero-shot", 0) for split in splits]
    embedder = _embedder(given)
    vectors = np.concatenate([nfl.retrieval.embed(embedder, part, crops=1) for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    halves = [_half(labels, seed) for seed in range(given.seeds)]
    if given.seen:
        halves = [np.isin(labels, parts[0].labels)]
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    for name, galleries in GALLERIES.items():
        for absent in given.absent:
            print(f"\n{name}, absent {absent:g}", flush=True)
            settings = list(itertools.product(given.precision, given.confidence))
            of_halves = [
                _measure(similarity, labels, half, galleries, absent, settings) for half in halves
            ]
            for place, (asked, confidence) in enumerate(settings):
                _print(asked, confidence, [rows[place] for rows in of_halves])


def _embedder(given):
    if given.trained is not None:
        return nfl.load(given.trained)
    return nfl.models.Embedder(given.backbone, None, 224, 0.0078125, -0.9921875)


def _half(labels, seed):
    classes = np.random.default_rng(seed).permutation(np.unique(labels))
    return np.isin(labels, classes[: len(classes) // 2])


def _measure(similarity, labels, half, galleries, absent, settings):
    """For each setting: threshold; precision and recall of the half, and of the other half."""
    learned = _answers(similarity, labels, half, half | galleries[0])
    others = _answers(similarity, labels, ~half, ~half | galleries[1])
    _, classes = np.unique(labels[half], return_inverse=True)
    curve = AnswerCurve(learned, classes, absent)
    draws = ClassDraws(curve, classes.max() + 1, seed=0)
    rows = []
    for asked, confidence in settings:
        reached = np.flatnonzero(draws.precision_bound(confidence) >= asked - ROUNDING)
        if not reached.size:
            rows.append(None)
            continue
        threshold = curve.thresholds[reached[-1]]
        found = (_figures(answers, threshold, absent) for answers in (learned, others))
        rows.append((threshold, *itertools.chain.from_iterable(found)))
    return rows


def _answers(similarity, labels, query, gallery):
    """First answers by a plain sort of all pairs."""
    pairs = similarity[np.ix_(query, gallery)]
    same = labels[query][:, None] == labels[gallery]
    return FirstAnswers(
        similarity=pairs.max(axis=1),
        right=same[np.arange(len(pairs)), pairs.argmax(axis=1)],
        present=same.sum(axis=1) > 1,
        other_similarity=np.where(same, -np.inf, pairs).max(axis=1),
    )


def _figures(answers, threshold, absent):
    """Precision and recall at a threshold, all queries having their class in the gallery."""
    given = answers.similarity >= threshold
    wrong = (answers.other_similarity >= threshold).mean()
    right = (given & answers.right).mean()
    shown = (1 - absent) * given.mean() + absent * wrong
    return (1 - absent) * right / shown if shown else np.nan, right


def _print(asked, confidence, rows):
    reached = np.array([row for row in rows if row is not None])
    text = f"{asked:g} | {confidence:g} | {len(reached)} of {len(rows)}"
    if len(reached):
        means = reached.mean(axis=0)
        deviations = reached.std(axis=0, ddof=1) if len(reached) > 1 else np.full(5, np.nan)
        held = np.count_nonzero(reached[:, 3] >= asked)
        text += (
            f" | {means[0]:.3f} ± {deviations[0]:.3f} | {means[1]:.3f} | {means[2]:.3f}"
            f" | {means[3]:.3f} ± {deviations[3]:.3f} | {held}"
            f" | {means[4]:.3f} ± {deviations[4]:.3f}"
        )
    print(f"| {text} |", flush=True)


if __name__ == "__main__":
    main()
