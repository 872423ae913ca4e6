"""Compares the terms of [NAFL] on one dataset: noises, L_intra, pretext tasks.

    python benchmarks/noise_assisted.py configs/nafl_flowers17.yaml --cache CACHE \
        --data-dir flowers17 --backbone efficientnet_lite0_imagenet

The config, and any flags of `nfl_keras.train`, give rate, epochs, temperature, batch and frozen
blocks. The rows of the table differ in their terms alone.

To be quick on a CPU, the outputs of the frozen blocks are computed once, for some augmented
versions of each training photograph and for each view of them. They are kept in CACHE (1 to 2 GB
a dataset). Every row trains the other blocks on them, by `nfl.models.NoiseAssistedModel` and its
`fit`. A row's seed draws weights, batches and the order of the versions; the views are the same.

CACHE also keeps each finished run as a line of JSON, so that a stopped call resumes.
`--evaluate-on validation` measures on held-out training photographs, to choose settings.
"""

import argparse
import itertools
import json
import pathlib
import statistics
import time

import keras
import numpy as np
from keras import ops
from noise_assisted_views import WINDOWS, FrozenPart, TrainingViews

from nfl_keras.data import open_dataset
from nfl_keras.models import Embedder, NoiseAssistedModel
from nfl_keras.retrieval import accuracy, class_diversity
from nfl_keras.training.build_model import compile_model
from nfl_keras.training.config import read_config
from nfl_keras.training.splits import Splits

SHUFFLE = {"noise": "shuffle", "window": 8}
INTER = {"lambda_intra": 0.0}
SOFTMAX = {"lambda_softmax": 1.0}
ROWS = {
    "untrained": {},
    "L_inter": INTER,
    "+ L_intra, none": {"noise": "none"},
    "+ L_intra, Gaussian": {"noise": "gaussian"},
    **{f"+ L_intra, shuffle {k}": {"noise": "shuffle", "window": k} for k in WINDOWS},
    "+ L_intra, shuffle 8, rotation": {**SHUFFLE, "pretext": "rotation"},
    "+ L_intra, shuffle 8, exemplar": {**SHUFFLE, "pretext": "exemplar"},
    "+ L_intra, shuffle 8, jigsaw": {**SHUFFLE, "pretext": "jigsaw"},
    "L_softmax": {**SOFTMAX, **INTER, "lambda_inter": 0.0},
    "L_softmax + L_inter": {**SOFTMAX, **INTER},
    "L_softmax + L_inter + L_intra, shuffle 8": {**SOFTMAX, **SHUFFLE},
}
REFERENCE = "L_inter"
# The columns of a table and the formats of their numbers.
COLUMNS = {
    "Recall@1": ".3f",
    "mAP": ".3f",
    "same-class cosine": ".3f",
    "effective rank": ".2f",
    "accuracy": ".3f",
    "CPU seconds": ".0f",
}
# Runs in one table have the same values of these settings.
SETTINGS = (
    "dataset",
    "evaluate_on",
    "freeze_through",
    "embedding_dim",
    "image_size",
    "temperature",
    "lambda_inter",
    "lambda_intra",
    "lambda_pretext",
    "classes_per_batch",
    "images_per_class",
    "color",
    "epochs",
    "learning_rate",
    "crops",
)


def main():
    given, config = _read()
    dataset = open_dataset(config.data.dataset, config.data.data_dir, config.data.missing_images)
    splits = Splits.of(dataset, config)
    name = pathlib.Path(config.data.dataset).name
    folder = given.cache / f"{name}-{config.embedder.freeze_through}-{config.embedder.image_size}"
    frozen = FrozenPart(config, folder)
    pretrained = frozen.upper.get_weights()
    train = TrainingViews(frozen, dataset, splits.train, config, given.versions)
    queries = splits.final.query
    of_queries = frozen.crops(f"{config.evaluation.evaluate_on}-query", queries)
    of_gallery = of_queries
    if splits.final.gallery is not queries:
        of_gallery = frozen.crops(f"{config.evaluation.evaluate_on}-gallery", splits.final.gallery)

    all_settings = config.settings()
    settings = {name: all_settings[name] for name in SETTINGS} | {"versions": given.versions}
    path = folder / "results.jsonl"
    runs = _finished(path, settings)
    same_classes = np.isin(queries.classes, splits.train.classes).all()
    rows = [row for row in given.rows if same_classes or "L_softmax" not in row]
    for seed, row in itertools.product(given.seeds, rows):
        if (row, seed) in runs:
            continue
        frozen.upper.set_weights(pretrained)
        keras.utils.set_random_seed(seed)
        model = _model(ROWS[row], frozen.upper, config, splits.train.classes)
        learned = _fit(model, ROWS[row], train, config, seed) if row != "untrained" else {}
        run = _measure(model, of_queries, of_gallery, splits) | learned
        runs[row, seed] = run
        line = json.dumps({"row": row, "seed": seed, "run": run, "settings": settings})
        with path.open("a") as file:
            print(line, file=file)
        print(line, flush=True)
    print(f"\n{splits.final.description}\n\n{settings}\n\n{_table(runs, given.seeds, rows)}")


def _read():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("config", help="file of configs/ for noise-assisted with freeze_through")
    parser.add_argument(
        "--cache",
        type=pathlib.Path,
        required=True,
        help="folder for the outputs of the frozen blocks",
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--versions", type=int, default=3, help="augmented versions of each photograph"
    )
    given, flags = parser.parse_known_args()
    config = read_config(["--config", given.config, *flags])
    if config.recipe.name != "noise-assisted":
        parser.error(f"the config's recipe is {config.recipe.name}, not noise-assisted.")
    if config.embedder.freeze_through is None:
        parser.error("the config freezes nothing; add --freeze-through, e.g. block5.")
    return given, config.replace(split_seeds=config.data.split_seeds[:1])


class _CachedViews(NoiseAssistedModel):
    """A model whose inputs are cached views.

    Images are `[B, V, h, w, C]`, the views in the order of `view_names`. Labels are `[B, 2]`, the
    class and the pretext task's draw.
    """

    def outputs(self, images, labels, training):
        views = dict(zip(self.view_names, ops.unstack(images, axis=1), strict=True))
        return self.outputs_of(views, labels[:, 0], training, {"pretext": labels[:, 1]})


def _model(row, upper, config, class_labels):
    shared = ("temperature", "lambda_inter", "lambda_intra", "lambda_pretext")
    model = _CachedViews(
        Embedder(upper, config.embedder.embedding_dim),
        num_classes=len(class_labels),
        class_labels=class_labels.tolist(),
        **{**{name: config.recipe.settings[name] for name in shared}, **row},
    )
    model.view_names = ["clean"]
    if model.lambda_intra:
        model.view_names += ["other"] if model.noise == "none" else ["noisy", "other"]
    if model.pretext is not None:
        model.view_names += ["pretext"]
    return model


def _fit(model, row, train, config, seed):
    """Trains, and returns the time it took and the means of the last epoch's terms."""
    noise = f"shuffle {model.window}" if model.noise == "shuffle" else model.noise
    task = row.get("pretext")
    names = {"clean": "clean", "noisy": noise, "other": "other", "pretext": task}
    batches = train.batches([names[name] for name in model.view_names], task, seed)
    steps = train.sampler(seed).batches_per_epoch
    compile_model(model, config, steps)
    start, cpu = time.perf_counter(), time.process_time()
    history = model.fit(
        batches, steps_per_epoch=steps, epochs=config.optimizer.epochs, shuffle=False, verbose=0
    ).history
    seconds = {"seconds": time.perf_counter() - start, "CPU seconds": time.process_time() - cpu}
    last = {f"trained {name}": values[-1] for name, values in history.items()}
    if not np.isfinite(last["trained loss"]):
        raise SystemExit(f"the loss is not finite at the end of {row}; lower the rate.")
    return {**seconds, **last}


def _measure(model, of_queries, of_gallery, splits):
    features, query = _embed(model, of_queries)
    gallery = query if of_gallery is of_queries else _embed(model, of_gallery)[1]
    report = splits.final.evaluate(query, gallery)
    diversity = class_diversity(query, splits.final.query.labels)
    measured = {
        "Recall@1": report.recall_at[1],
        "mAP": report.map,
        "same-class cosine": diversity.same_class_cosine,
        "effective rank": diversity.effective_rank,
    }
    if model.lambda_softmax:
        probabilities = ops.convert_to_numpy(ops.softmax(model.logits(features)))
        measured["accuracy"] = accuracy(
            probabilities.reshape(len(query), -1, model.num_classes).mean(axis=1),
            splits.final.query.labels,
            model.class_labels,
        )
    return measured


def _embed(model, crops):
    """Returns the pooled features `[N * crops, C]` of all crops, and the embeddings `[N, D]`."""
    embedder = model.embedder
    network = keras.Model(embedder.input, embedder.get_layer("features").output)
    features = network.predict(crops.reshape(-1, *crops.shape[2:]), batch_size=96, verbose=0)
    vectors = ops.convert_to_numpy(embedder.project(features))
    means = vectors.reshape(len(crops), -1, vectors.shape[-1]).mean(axis=1)
    return features, means / np.linalg.norm(means, axis=1, keepdims=True)


def _finished(path, settings):
    """Returns a file's runs of the same settings, by row and seed."""
    lines = path.read_text().splitlines() if path.exists() else []
    of_all = [json.loads(line) for line in lines]
    return {(r["row"], r["seed"]): r["run"] for r in of_all if r["settings"] == settings}


def _table(runs, seeds, rows):
    """Returns means and deviations over the seeds, and mAP less L_inter's at the same seed."""
    columns = {
        c: places for c, places in COLUMNS.items() if any(c in runs[row, seeds[0]] for row in rows)
    }
    lines = [f"| terms | {' | '.join(columns)} | mAP beside {REFERENCE} |"]
    lines.append("|---" * (len(columns) + 2) + "|")
    for row in rows:
        cells = [row]
        for column, places in columns.items():
            cells.append(_spread([runs[row, seed].get(column) for seed in seeds], places))
        beside = [
            runs[row, seed]["mAP"] - runs[REFERENCE, seed]["mAP"]
            for seed in seeds
            if row != REFERENCE and (REFERENCE, seed) in runs
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
