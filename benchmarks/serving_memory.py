"""Measures the memory of the embedded server after 2,000 requests, and after 20,000.

    python benchmarks/serving_memory.py

Eight threads send requests to a server, in a process of its own, whose model is one multiplication.
Of ten requests one is cancelled, one fails in the graph and one names a version that does not
exist. For every hundred requests, a process of four clients is killed while it sends messages of
3 MB. `/proc` tells the server's memory, threads and open files. The script ends with an error if
the memory has grown by more than a tenth, or if more files and connections are open.
"""

import argparse
import concurrent.futures
import contextlib
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

THREADS = 8
SIZE = 32
ROWS, KILLED_ROWS = 4, 256
MOST_GROWTH = 1.1
SECONDS_TO_SETTLE = 2
ANSWERS = {
    "good": grpc.StatusCode.OK,
    "failing": grpc.StatusCode.INVALID_ARGUMENT,
    "unknown": grpc.StatusCode.NOT_FOUND,
}


class Doubling(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], name="pixels")])
    def embed_tensor(self, pixels):
        with tf.control_dependencies([tf.debugging.assert_less(pixels, 1e6)]):
            return {"embedding": 2 * tf.reduce_mean(pixels, [1, 2])}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, nargs=2, default=[2_000, 20_000])
    parser.add_argument("--kill-every", type=int, default=100, help="requests")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        module = Doubling()
        signatures = {"embed_tensor": module.embed_tensor}
        tf.saved_model.save(module, str(folder / "doubling" / "1"), signatures)
        message = folder / "message"
        message.write_bytes(_request(1.0, KILLED_ROWS).SerializeToString())
        with _served(folder / "doubling") as (pid, address):
            killed = [sys.executable, pathlib.Path(__file__).with_name("serving_killed.py")]
            _compare(pid, address, given, [*killed, address, message])


@contextlib.contextmanager
def _served(base):
    """Starts a server and yields its process id and address."""
    command = [sys.executable, "-m", "nfl_keras.serve", str(base), "--port", "0", "--no-rest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.pid, re.search(r"at (\S+) \(gRPC\)", process.stdout.readline())[1]
        finally:
            process.terminate()
            process.communicate()


def _compare(pid, address, given, killed_clients):
    print("| requests | clients killed | seconds | resident | threads | open files |")
    print("|---|---|---|---|---|---|")
    held = []
    asked = kills = 0
    for until in given.requests:
        start = time.perf_counter()
        while asked < until:
            count = min(given.kill_every, until - asked)
            shares = [count // THREADS + (number < count % THREADS) for number in range(THREADS)]
            with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
                under_way = [pool.submit(_ask, address, share) for share in shares]
                _start_and_kill(killed_clients)
            for future in under_way:
                future.result()
            asked += count
            kills += 1
        seconds = time.perf_counter() - start
        time.sleep(SECONDS_TO_SETTLE)
        held.append(_held(pid))
        resident, threads, files = held[-1]
        print(
            f"| {asked:,} | {kills} | {seconds:.0f} | {resident:.0f} MiB | {threads} | {files} |",
            flush=True,
        )
    (before, _, files_before), (after, _, files_after) = held
    if after > MOST_GROWTH * before:
        sys.exit(f"memory grew to {after / before:.2f} times its size.")
    if files_after > files_before:
        sys.exit(f"{files_after - files_before} more files and connections are open than before.")


def _ask(address, count):
    requests = {
        "good": _request(1.0),
        "failing": _request(2e6),
        "unknown": _request(1.0, version=7),
    }
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for number in range(count):
            kind = {1: "failing", 2: "unknown"}.get(number % 10, "good")
            call = stub.Predict.future(requests[kind], timeout=60)
            if number % 10 == 0:
                time.sleep(random.uniform(0, 0.005))
                call.cancel()
            elif call.code() != ANSWERS[kind]:
                raise RuntimeError(f"a {kind} request was answered by {call.code()}")


def _start_and_kill(command):
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(random.uniform(0, 0.1))
        process.kill()


def _request(value, rows=ROWS, version=None):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "doubling"
    request.model_spec.signature_name = "embed_tensor"
    if version is not None:
        request.model_spec.version.value = version
    pixels = np.full((rows, SIZE, SIZE, 3), value, "float32")
    request.inputs["pixels"].CopyFrom(tf.make_tensor_proto(pixels))
    return request


def _held(pid):
    """Returns the resident MiB, threads and open files of a process."""
    process = pathlib.Path(f"/proc/{pid}")
    status = (process / "status").read_text()
    kibibytes, threads = (
        int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "Threads")
    )
    return kibibytes / 1024, threads, len(list((process / "fd").iterdir()))


if __name__ == "__main__":
    main()
