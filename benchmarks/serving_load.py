"""The clients of one side of `serving.py`: threads that each send one request after the other.

The process reads orders from its standard input, a JSON object a line, and answers each by one
line. A request is built before it is timed. Its time ends once the answer is an array.
"""

import concurrent.futures
import http.client
import io
import json
import pathlib
import sys
import time

import numpy as np

KINDS = {"float": "embed_tensor", "JPEG": "serving_default"}
_SECONDS = 120


def main():
    way, place, inputs = sys.argv[1:]
    connect = {"grpc": _grpc, "http": _http, "in-process": _in_process}[way](place)
    inputs = pathlib.Path(inputs)
    items = {
        "float": list(np.load(inputs / "pixels.npy")),
        "JPEG": [path.read_bytes() for path in sorted(inputs.glob("*.jpg"))],
    }
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer = (_embeddings if order["clients"] == 0 else _measured)(connect, items, **order)
        print(json.dumps(answer), flush=True)


def _embeddings(connect, items, kind, **_):
    """Returns the embedding of each image, for the check."""
    vectors = []
    for item in items[kind]:
        ask, close = connect(kind, [item])
        vectors.append(ask().ravel().tolist())
        close()
    return {"vectors": vectors}


def _measured(connect, items, kind, clients, rows, lead, seconds):
    """Returns images/s, the seconds of each request that ends in time, and the number of images.

    A request that is timed in part counts by that part, since a batch's requests end together.
    """
    begin = time.perf_counter() + lead
    end = begin + seconds
    of_kind = items[kind]

    def loop(number):
        ask, close = connect(kind, [of_kind[(number + row) % len(of_kind)] for row in range(rows)])
        spans = []
        while (start := time.perf_counter()) < end:
            ask()
            spans.append((start, time.perf_counter()))
        close()
        return spans

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        spans = [span for of_one in pool.map(loop, range(clients)) for span in of_one]
    parts = [
        max(min(ended, end) - max(start, begin), 0.0) / (ended - start) for start, ended in spans
    ]
    took = [ended - start for start, ended in spans if begin <= ended < end]
    return {"rate": rows * sum(parts) / seconds, "seconds": took, "images": rows * len(spans)}


def _grpc(address):
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    def connect(kind, items):
        # Each client has its own connection, as over HTTP.
        channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "embedder"
        request.model_spec.signature_name = KINDS[kind]
        name = "pixels" if kind == "float" else "images"
        request.inputs[name].CopyFrom(tf.make_tensor_proto(np.stack(items)))

        def ask():
            answer = stub.Predict(request, timeout=_SECONDS)
            return np.array(answer.outputs["embedding"].float_val, "float32")

        return ask, channel.close

    return connect


def _http(address):
    def connect(kind, items):
        connection = http.client.HTTPConnection(address, timeout=_SECONDS)
        (body,) = items
        if kind == "float":
            buffer = io.BytesIO()
            np.save(buffer, body)
            body = buffer.getvalue()
        path = "/pixels" if kind == "float" else "/photograph"
        headers = {"Content-Type": "application/octet-stream"}

        def ask():
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != http.HTTPStatus.OK:
                sys.exit(f"{path} answers {answer.status}: {content[:200]}")
            return np.array(json.loads(content)["embedding"], "float32")

        return ask, connection.close

    return connect


def _in_process(folder):
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)

    def connect(kind, items):
        signature = loaded.signatures[KINDS[kind]]
        name = "pixels" if kind == "float" else "images"
        array = np.stack(items) if kind == "float" else np.array(items, object)
        return lambda: signature(**{name: tf.constant(array)})["embedding"].numpy(), lambda: None

    return connect


if __name__ == "__main__":
    main()
