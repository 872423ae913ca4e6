"""Measures images/s and latency of the embedded server, the bare SavedModel and FastAPI.

    pip install 'nfl_keras[benchmarks]'
    python benchmarks/serving.py

The model is an embedder on MobileNetV2 with random weights, or on any `--backbone`. 1, 4 and 16
clients send one image a request, and each waits for its answer. It is sent as pixels ("float":
`embed_tensor`, float32 `[1, S, S, 3]`) or as an encoded photograph ("JPEG": `serving_default`,
three crops). "gRPC" is `python -m nfl_keras.serve` with its defaults, called through the stubs of
TensorFlow Serving. "FastAPI" is the service in `serving_fastapi.py`. "in-process" is the SavedModel
without a server, called by as many threads, and by one thread with all the images at once.

The script first checks that all sides return the same embeddings. Each side has its own process or
two, which wait while another is timed. The sides alternate. A rate is the median of the turns, a
ratio the median of the turns' ratios, and percentiles are over the requests of all turns. CPU is
that of server and clients together. It says more than a rate if other programs use the cores.
"""

import argparse
import contextlib
import importlib.util
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import serving_sides
from serving_load import KINDS
from serving_sides import SIDES

# The aims for the ratios of the first side to the second, with the most clients.
AIMS = {
    ("grpc", "in-process"): "at least 0.9",
    ("grpc", "grpc-alone"): "at least 1.4 for float",
    ("grpc", "fastapi"): "at least 1.2",
    ("grpc", "fastapi-onnx"): "at least 1.2",
}
NEEDED = {
    "fastapi": ("fastapi", "uvicorn"),
    "fastapi-onnx": ("fastapi", "uvicorn", "onnxruntime", "tf2onnx"),
}
LEAST_COSINE = 0.999


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="timed in each turn")
    parser.add_argument("--lead", type=float, default=1.0, help="seconds before the timed ones")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--image-size", type=int, default=128)
    parser.add_argument("--backbone", help="a KerasHub preset or its folder")
    parser.add_argument("--photographs", help="folder of *.jpg; drawn ones by default")
    given = parser.parse_args()
    _check_installed(given.sides)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        serving_sides.write_models(folder, given.backbone, given.image_size, given.sides)
        contents = serving_sides.write_inputs(folder, given.photographs, given.image_size)
        sizes = sorted(len(content) / 1000 for content in contents)
        print(f"photographs of {sizes[0]:.0f} to {sizes[-1]:.0f} kB", file=sys.stderr)
        sides = {
            side: stack.enter_context(serving_sides.started(side, folder, folder, given.image_size))
            for side in given.sides
        }
        _check_same(sides, given.kinds)
        measured = _measured(sides, given)
    _print_table(measured)
    _print_ratios(measured, max(given.clients), given.kinds)


def _check_installed(sides):
    needed = {module for side in sides for module in NEEDED.get(side, ())}
    missing = sorted(module for module in needed if importlib.util.find_spec(module) is None)
    if missing:
        sys.exit(
            f"not installed: {', '.join(missing)}; pip install 'nfl_keras[benchmarks]', or choose "
            f"--sides without FastAPI."
        )


def _check_same(sides, kinds):
    """Checks that all sides return nearly the same embedding for the same photograph."""
    for kind in kinds:
        vectors = {
            side: np.array(ordered(kind=kind, clients=0)["vectors"])
            for side, ordered in sides.items()
        }
        first = next(iter(vectors.values()))
        for side, its in vectors.items():
            cosines = its @ first.T
            same = np.diag(cosines)
            others = np.where(np.eye(len(cosines), dtype=bool), -1.0, cosines).max()
            print(
                f"{kind}, {SIDES[side]}: cosine {same.min():.6f} at least to the same photograph's "
                f"of {SIDES[next(iter(vectors))]}, {others:.6f} at most to another's",
                file=sys.stderr,
            )
            if same.min() < LEAST_COSINE or (cosines.argmax(1) != np.arange(len(same))).any():
                sys.exit("the sides do not compute the same.")


def _measured(sides, given):
    """Returns a dict from (kind, clients, side) to its answers, one a turn."""
    measured = {}
    names = list(sides)
    for turn in range(given.turns):
        shift = turn % len(names)
        for kind in given.kinds:
            for clients in given.clients:
                for side in names[shift:] + names[:shift]:
                    rows = 1
                    if side == "in-process-batches":
                        if clients < max(given.clients):
                            continue
                        rows = clients
                    answer = sides[side](
                        kind=kind,
                        clients=clients // rows,
                        rows=rows,
                        lead=given.lead,
                        seconds=given.seconds,
                    )
                    measured.setdefault((kind, clients, side), []).append(answer)
                    print(turn, kind, clients, side, answer["rate"], file=sys.stderr, flush=True)
    # Sorted by side, since the first turn has another order.
    return dict(sorted(measured.items(), key=lambda item: _place(item[0], given)))


def _place(cell, given):
    kind, clients, side = cell
    return given.kinds.index(kind), given.clients.index(clients), given.sides.index(side)


def _print_table(measured):
    print(
        "| input | clients | | images/s, median (range) | p50, ms | p99, ms | CPU ms/image "
        "| gRPC / it | CPU, it / gRPC |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for (kind, clients, side), answers in measured.items():
        rates = [answer["rate"] for answer in answers]
        seconds = np.concatenate([answer["seconds"] for answer in answers])
        median, late = np.percentile(1000 * seconds, [50, 99]) if len(seconds) else (np.nan, np.nan)
        spread = f"{statistics.median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
        print(
            f"| {kind} | {clients} | {SIDES[side]} | {spread} | {median:.1f} | {late:.1f} | "
            f"{1000 * statistics.median(a['cpu'] for a in answers):.1f} | "
            f"{_ratio(measured, kind, clients, 'grpc', side)} | "
            f"{_ratio(measured, kind, clients, side, 'grpc', 'cpu')} |"
        )


def _print_ratios(measured, clients, kinds):
    print(f"\n| at {clients} clients | {' | '.join(kinds)} | aim |")
    print(f"|---|{'---|' * len(kinds)}---|")
    for (side, other), aim in AIMS.items():
        ratios = [_ratio(measured, kind, clients, side, other) for kind in kinds]
        if "-" not in ratios:
            print(f"| {SIDES[side]} / {SIDES[other]} | {' | '.join(ratios)} | {aim} |")
            ratios = [_ratio(measured, kind, clients, other, side, "cpu") for kind in kinds]
            print(f"| the same, by CPU | {' | '.join(ratios)} | |")


def _ratio(measured, kind, clients, side, other, of="rate"):
    cells = (kind, clients, side), (kind, clients, other)
    if side == other or not all(cell in measured for cell in cells):
        return "-"
    pairs = zip(*(measured[cell] for cell in cells), strict=True)
    return f"{statistics.median(a[of] / b[of] for a, b in pairs):.2f}"


if __name__ == "__main__":
    main()
