"""Memory of the embedded server after 2,000 requests, and after 20,000.

    python benchmarks/serving_memory.py

A server of a model of one multiplication, in a process of its own, is asked by eight threads. Of
ten requests one is cancelled, one fails in the graph and one goes to a version that does not
exist. What the process then holds is read from `/proc`. Ends with an error if it has grown by
more than a tenth.
"""

import concurrent.futures
import contextlib
import pathlib
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


class Doubling(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], name="pixels")])
    def embed_tensor(self, pixels):
        with tf.control_dependencies([tf.debugging.assert_less(pixels, 1e6)]):
            return {"embedding": 2 * tf.reduce_mean(pixels, [1, 2])}


def main():
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder) / "doubling"
        module = Doubling()
        signatures = {"embed_tensor": module.embed_tensor}
        tf.saved_model.save(module, str(base / "1"), signatures)
        command = [sys.executable, "-m", "nfl_keras.serve", str(base), "--port", "0", "--no-rest"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                port = re.search(r":(\d+) \(gRPC\)", process.stdout.readline())[1]
                _compare(process.pid, port)
            finally:
                process.terminate()


def _compare(pid, port):
    print("| requests | seconds | resident |")
    print("|---|---|---|")
    held = []
    asked = 0
    for until in (2_000, 20_000):
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(_ask, [port] * THREADS, [(until - asked) // THREADS] * THREADS))
        asked = until
        held.append(_resident(pid))
        seconds = time.perf_counter() - start
        print(f"| {until:,} | {seconds:.0f} | {held[-1] / 1024:.0f} MiB |", flush=True)
    if held[1] > 1.1 * held[0]:
        sys.exit(f"grew to {held[1] / held[0]:.2f} times what it was")


def _ask(port, count):
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        good, failing, unknown = _request(1.0), _request(2e6), _request(1.0, version=7)
        for number in range(count):
            request = {1: failing, 2: unknown}.get(number % 10, good)
            call = stub.Predict.future(request, timeout=60)
            if number % 10 == 0:
                call.cancel()
                continue
            with (
                contextlib.nullcontext() if request is good else contextlib.suppress(grpc.RpcError)
            ):
                call.result()


def _request(value, version=None):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "doubling"
    request.model_spec.signature_name = "embed_tensor"
    if version is not None:
        request.model_spec.version.value = version
    pixels = np.full((4, SIZE, SIZE, 3), value, "float32")
    request.inputs["pixels"].CopyFrom(tf.make_tensor_proto(pixels))
    return request


def _resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


if __name__ == "__main__":
    main()
