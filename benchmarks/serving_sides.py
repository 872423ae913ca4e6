"""The sides of `serving.py`: the models, the inputs, the servers and their clients."""

import contextlib
import http.client
import io
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import numpy as np
from PIL import Image

SIDES = {
    "grpc": "gRPC",
    "grpc-alone": "gRPC, no batching",
    "fastapi": "FastAPI, Keras",
    "fastapi-onnx": "FastAPI, ONNX Runtime",
    "in-process": "in-process",
    "in-process-batches": "in-process, one thread, batches",
}
PHOTOGRAPHS = 16
_HERE = pathlib.Path(__file__).parent
_WIDTH, _HEIGHT = 500, 375
_START_SECONDS = 180


def write_models(folder, backbone, image_size, sides):
    """Writes an embedder as a SavedModel, and as Keras and ONNX files if a side needs them."""
    import keras

    import nfl_keras as nfl

    keras.utils.set_random_seed(0)
    scaling = {}
    if backbone is None:
        shape = (image_size, image_size, 3)
        backbone = keras.applications.MobileNetV2(shape, include_top=False, weights=None)
        scaling = {"pixel_scale": 1 / 127.5, "pixel_offset": -1.0}
    embedder = nfl.models.Embedder(backbone, image_size=image_size, **scaling)
    nfl.export_model(embedder, folder, version=1)
    if "fastapi" in sides:
        embedder.save(folder / "embedder.keras")
    if "fastapi-onnx" in sides:
        embedder.export(folder / "embedder.onnx", format="onnx", verbose=False)


def write_inputs(folder, photographs, image_size):
    """Writes JPEGs, drawn or from a folder, and their squares of pixels, `[N, S, S, 3]`."""
    if photographs is None:
        contents = [_drawn(seed) for seed in range(PHOTOGRAPHS)]
    else:
        paths = sorted(pathlib.Path(photographs).glob("*.jpg"))
        chosen = np.linspace(0, len(paths) - 1, PHOTOGRAPHS).astype(int)
        contents = [paths[index].read_bytes() for index in chosen]
    squares = []
    for number, content in enumerate(contents):
        (folder / f"{number:02}.jpg").write_bytes(content)
        with Image.open(io.BytesIO(content)) as picture:
            square = picture.convert("RGB").resize((image_size, image_size))
        squares.append(np.asarray(square, np.float32))
    np.save(folder / "pixels.npy", np.stack(squares))
    return contents


def _drawn(seed):
    """Returns a JPEG of about 45 kB with detail at every scale, like a photograph's."""
    rng = np.random.default_rng(seed)
    size = _WIDTH, _HEIGHT
    picture = np.zeros((_HEIGHT, _WIDTH, 3))
    for cells in (3, 6, 12, 24, 48, 96, 192):
        channels = [
            Image.fromarray(rng.normal(size=(cells, cells)).astype("float32")) for _ in range(3)
        ]
        detail = np.dstack([c.resize(size, Image.Resampling.BICUBIC) for c in channels])
        picture += detail / cells**0.5
    picture = 128 + 50 * picture / picture.std()
    buffer = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype("uint8")).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@contextlib.contextmanager
def started(side, models, inputs, image_size):
    """Starts a side and yields a function that sends an order and returns the answer.

    The answer also has the CPU seconds of server and clients for an image.
    """
    with contextlib.ExitStack() as stack:
        processes = []
        if side.startswith("grpc"):
            server, place = stack.enter_context(_serve(models, side == "grpc"))
            processes.append(server)
            way = "grpc"
        elif side.startswith("fastapi"):
            kind = "onnx" if side == "fastapi-onnx" else "keras"
            server, place = stack.enter_context(_fastapi(models / f"embedder.{kind}", image_size))
            processes.append(server)
            way = "http"
        else:
            way, place = "in-process", models / "embedder" / "1"
        command = [_HERE / "serving_load.py", way, place, inputs]
        clients = stack.enter_context(_process(command, stdin=subprocess.PIPE))
        processes.append(clients)
        _line(clients)

        def ordered(**order):
            before = _cpu_seconds(processes)
            print(json.dumps(order), file=clients.stdin, flush=True)
            answer = json.loads(_line(clients))
            if "images" in answer:
                answer["cpu"] = (_cpu_seconds(processes) - before) / answer["images"]
            return answer

        yield ordered


def _cpu_seconds(processes):
    ticks = 0
    for process in processes:
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _serve(models, batching):
    command = ["-m", "nfl_keras.serve", models, "--port", "0", "--no-rest"]
    with _process(command if batching else [*command, "--no-batching"]) as process:
        yield process, re.search(r"at (\S+) \(gRPC\)", _line(process))[1]


@contextlib.contextmanager
def _fastapi(model, image_size):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "uvicorn", "--app-dir", _HERE, "serving_fastapi:app", "--port", port]
    quiet = ["--no-access-log", "--log-level", "warning"]
    served = {"MODEL": str(model), "SIZE": str(image_size)}
    with _process([*command, *quiet], env={**os.environ, **served}) as process:
        until = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                sys.exit("the FastAPI service does not start; see above.")
            time.sleep(0.2)
        yield process, f"127.0.0.1:{port}"


def _answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/openapi.json")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextlib.contextmanager
def _process(command, **how):
    command = [sys.executable, *map(str, command)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **how) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()  # reads its last output


def _line(process):
    line = process.stdout.readline()
    if not line:
        sys.exit(f"{' '.join(map(str, process.args[1:4]))} has ended; see above.")
    return line
