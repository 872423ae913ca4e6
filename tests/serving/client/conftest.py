"""A model server of a few lines, whose every answer the tests can compute."""

import concurrent.futures
import hashlib
import io
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.predict_pb2 import PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

from nfl_keras.serving import Client

DIMENSIONS = 4
SIDE = 8


def fingerprint(content):
    """Float32 `[4]`, other for other bytes."""
    digest = hashlib.sha256(content).digest()[: 4 * DIMENSIONS]
    return np.frombuffer(digest, np.uint32).astype(np.float32) / 2**32


class FakeServing(PredictionServiceServicer):
    """Embeds each image as the fingerprint of what arrived of it.

    Attributes:
        requests: list of `PredictRequest`, as they arrived.
        times: list of float, when they did.
        refusals: list of `(code, details)`, one for each of the next requests.
        refuses_from: int, requests from this one on are UNAVAILABLE.
        codes: dict from bytes to the status of such an image.
        before: function of the number of the request, called before it is answered.
        change: function from an answer to the one that is given instead.
        models: set of str.
        version: int.
    """

    def __init__(self):
        photographs = {"images": TensorInfo(dtype=tf.string.as_datatype_enum)}
        pixels = {"pixels": self._info(-1, SIDE, SIDE, 3)}
        embedding = {"embedding": self._info(-1, DIMENSIONS)}
        status = {"status": TensorInfo(dtype=tf.int32.as_datatype_enum)}
        self.signatures = {
            "serving_default": SignatureDef(inputs=photographs, outputs=embedding | status),
            "embed_center": SignatureDef(inputs=photographs, outputs=embedding | status),
            "embed_tensor": SignatureDef(inputs=pixels, outputs=embedding),
        }
        self.requests = []
        self.times = []
        self.refusals = []
        self.refuses_from = np.inf
        self.codes = {}
        self.before = lambda number: None
        self.change = lambda response: response
        self.models = {"embedder"}
        self.version = 3
        self.metadata_requests = 0
        self._lock = threading.Lock()

    def GetModelMetadata(self, request, context):  # noqa: N802
        self.metadata_requests += 1
        self._check(request.model_spec, context)
        response = GetModelMetadataResponse(model_spec=request.model_spec)
        response.metadata["signature_def"].Pack(SignatureDefMap(signature_def=self.signatures))
        return response

    def Predict(self, request, context):  # noqa: N802
        with self._lock:
            self.times.append(time.monotonic())
            self.requests.append(request)
            number = len(self.requests) - 1
            refusal = self.refusals.pop(0) if self.refusals else None
        self._check(request.model_spec, context)
        self.before(number)
        if number >= self.refuses_from:
            refusal = (grpc.StatusCode.UNAVAILABLE, "gone")
        if refusal:
            context.abort(*refusal)
        arrived = arrived_in(request)
        good = [self.codes.get(content, 0) == 0 for content in arrived]
        rows = [fingerprint(content) for content in arrived]
        response = PredictResponse(model_spec=request.model_spec)
        response.model_spec.version.value = self.version
        outputs = {"embedding": np.float32(rows) * np.float32(good)[:, None]}
        if "images" in request.inputs:
            outputs["status"] = np.int32([self.codes.get(content, 0) for content in arrived])
        for name in request.output_filter:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return self.change(response)

    @property
    def arrived(self):
        """Every image's bytes, request after request."""
        return [content for request in self.requests for content in arrived_in(request)]

    def _check(self, spec, context):
        if spec.name not in self.models:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found: Latest({spec.name})")

    @staticmethod
    def _info(*shape):
        info = TensorInfo(dtype=tf.float32.as_datatype_enum)
        for size in shape:
            info.tensor_shape.dim.add(size=size)
        return info


def arrived_in(request):
    """The bytes of each image of a request."""
    (proto,) = request.inputs.values()
    return [row if isinstance(row, bytes) else row.tobytes() for row in tf.make_ndarray(proto)]


@pytest.fixture(name="fingerprint", scope="session")
def fingerprint_fixture():
    """Function from bytes to the embedding that the fake server gives them."""
    return fingerprint


@pytest.fixture
def serving():
    """What the fake server runs."""
    return FakeServing()


@pytest.fixture
def start(serving):
    """Function that starts the fake server and gives its port."""
    servers = []

    def start_server(address="localhost:0", credentials=None, options=()):
        pool = concurrent.futures.ThreadPoolExecutor(16)
        server = grpc.server(pool, options=[("grpc.so_reuseport", 0), *options])
        add_PredictionServiceServicer_to_server(serving, server)
        if credentials is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
        server.start()
        servers.append(server)
        return port

    yield start_server
    for server in servers:
        server.stop(None)


@pytest.fixture
def connect(start):
    """Function that gives a client of the fake server, which hardly waits before it retries."""
    clients = []

    def connect_client(port=None, host="localhost", **arguments):
        port = start() if port is None else port
        clients.append(Client(f"{host}:{port}", **{"backoff": 0.001, "timeout": 20} | arguments))
        return clients[-1]

    yield connect_client
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def photographs():
    """Function that gives so many small PNG files, as bytes."""

    def encoded(count, side=SIDE):
        contents = []
        for seed in range(count):
            pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "PNG")
            contents.append(buffer.getvalue())
        return contents

    return encoded
