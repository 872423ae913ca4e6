"""Compares the terms of [NAFL] on one dataset: noises, L_intra, pretext tasks.

    python benchmarks/noise_assisted.py nafl_flowers17 --runs RUNS --data-dir flowers17 \
        --backbone efficientnet_lite0_imagenet

The config, and any flags of `nfl_keras.train`, give rate, epochs, temperature, batch and frozen
blocks. The rows of the table differ in their terms alone. Each row and seed is a run of
`nfl_keras.train`, with the outputs of the frozen blocks computed once (`--cache-views`), in a
folder of RUNS. A stopped call resumes its last run and repeats none that is finished.
`--evaluate-on validation` measures on held-out training photographs, to choose settings.
"""

import argparse
import itertools
import json
import pathlib
import statistics
import subprocess
import sys

WINDOWS = (2, 4, 8, 16)
SHUFFLE = ["--noise", "shuffle", "--window", "8"]
INTER = ["--lambda-intra", "0", "--pretext", "null"]
SOFTMAX = ["--lambda-softmax", "1", "--pretext", "null"]
PLAIN = ["--pretext", "null"]
ROWS = {
    "L_inter": INTER,
    "+ L_intra, none": ["--noise", "none", *PLAIN],
    "+ L_intra, Gaussian": ["--noise", "gaussian", *PLAIN],
    **{
        f"+ L_intra, shuffle {k}": ["--noise", "shuffle", "--window", str(k), *PLAIN]
        for k in WINDOWS
    },
    "+ L_intra, shuffle 8, rotation": [*SHUFFLE, "--pretext", "rotation"],
    "+ L_intra, shuffle 8, exemplar": [*SHUFFLE, "--pretext", "exemplar"],
    "+ L_intra, shuffle 8, jigsaw": [*SHUFFLE, "--pretext", "jigsaw"],
    "L_softmax": [*SOFTMAX, "--lambda-intra", "0", "--lambda-inter", "0"],
    "L_softmax + L_inter": [*SOFTMAX, "--lambda-intra", "0"],
    "L_softmax + L_inter + L_intra, shuffle 8": [*SOFTMAX, *SHUFFLE],
}
REFERENCE = "L_inter"
# The columns of a table and the formats of their numbers.
COLUMNS = {
    "Recall@1": ".3f",
    "mAP": ".3f",
    "same-class cosine": ".3f",
    "effective rank": ".2f",
    "accuracy": ".3f",
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("config", help="a --config for noise-assisted with freeze_through")
    parser.add_argument("--runs", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--views", type=int, default=3, help="cached views of each photograph")
    given, flags = parser.parse_known_args()
    always = ["--config", given.config, "--cache-views", str(given.views), "--evaluate-every", "0"]
    measured = {}
    for seed, row in itertools.product(given.seeds, given.rows):
        folder = given.runs / f"{row}, seed {seed}".replace(" ", "-")
        command = [sys.executable, "-m", "nfl_keras.train"]
        if not (folder / "report.html").exists():
            new = [*always, "--run-dir", folder, "--seed", seed, "--split-seeds", "[0]"]
            begun = (folder / "config.yaml").exists()
            asked = ["--resume", folder] if begun else [*new, *flags, *ROWS[row]]
            subprocess.run([*command, *map(str, asked)], check=True)
        measured[row, seed] = _figures(json.loads((folder / "metrics.json").read_text()))
        print(row, seed, measured[row, seed], flush=True)
    print(f"\n{_table(measured, given.seeds, given.rows)}")


def _figures(metrics):
    trained, diversity = metrics["trained"], metrics["diversity"]
    return {
        "Recall@1": trained["recall_at"]["1"],
        "mAP": trained["map"],
        "same-class cosine": diversity["same_class_cosine"],
        "effective rank": diversity["effective_rank"],
        "accuracy": metrics["accuracy"],
    }


def _table(measured, seeds, rows):
    """Returns means and deviations over the seeds, and mAP less L_inter's at the same seed."""
    lines = [f"| terms | {' | '.join(COLUMNS)} | mAP beside {REFERENCE} |"]
    lines.append("|---" * (len(COLUMNS) + 2) + "|")
    for row in rows:
        cells = [row]
        for column, places in COLUMNS.items():
            cells.append(_spread([measured[row, seed][column] for seed in seeds], places))
        beside = [
            measured[row, seed]["mAP"] - measured[REFERENCE, seed]["mAP"]
            for seed in seeds
            if row != REFERENCE and (REFERENCE, seed) in measured
        ]
        cells.append(_spread(beside, "+.3f"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values, places):
    if not values or None in values:
        return "-"
    mean = format(statistics.mean(values), places)
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):{places.strip('+')}}"


if __name__ == "__main__":
    main()
