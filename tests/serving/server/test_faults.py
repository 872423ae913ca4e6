"""Requests that are wrong in many ways, and models that change, under load."""

import concurrent.futures
import contextlib
import http.client
import itertools
import socket
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import predict_pb2

from nfl_keras.serving import Batching, Limits, Server

PREDICT = "/tensorflow.serving.PredictionService/Predict"
INVALID = StatusCode.INVALID_ARGUMENT
EXHAUSTED = StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def sturdy(tmp_path_factory, install_warm):
    base = install_warm(tmp_path_factory.mktemp("models") / "tiny", 2).parent
    limits = Limits(max_message_bytes=2**20, max_request_rows=50, max_request_seconds=20)
    with Server(base, port=0, rest_port=0, limits=limits, batching=Batching(8)) as server:
        yield server


def _declared(dtype, *shape, **values):
    proto = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.fixture(scope="module")
def malformed(sturdy, connect, predict_request, pixels):
    """Dict from a kind of malformed request to a function that sends one and checks the answer."""
    stubs = connect(sturdy.port)

    def refused(*codes, **arguments):
        request = predict_request(**arguments)

        def send():
            assert stubs.code_if_any(request) in codes

        return send

    def truncated():
        response = stubs.Predict(
            predict_request(images=[b"\xd8\xff", b"", b"\xff\xd8"]), timeout=20
        )
        assert list(response.outputs["status"].int_val) == [1, 4, 0]

    def garbage():
        assert stubs.code(stubs.channel.unary_unary(PREDICT), b"\xff" * 9)[0] == INVALID

    def no_message():
        assert stubs.code(stubs.channel.stream_unary(PREDICT), iter(()))[0] == INVALID

    def no_method():
        call = stubs.channel.unary_unary("/tensorflow.serving.PredictionService/Guess")
        assert stubs.code(call, b"")[0] == StatusCode.UNIMPLEMENTED

    def no_spec():
        assert stubs.code(stubs.Predict, predict_pb2.PredictRequest())[0] == INVALID

    def cancelled():
        call = stubs.Predict.future(predict_request(images=[b"a"] * 9), timeout=20)
        call.cancel()
        with contextlib.suppress(grpc.FutureCancelledError):  # Or it was answered before.
            call.result()

    def too_late():
        code = stubs.code(stubs.Predict, predict_request(images=[b"a"]), timeout=1e-4)[0]
        assert code == StatusCode.DEADLINE_EXCEEDED

    def bytes_on_the_grpc_port():
        with socket.create_connection(("localhost", sturdy.port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")

    def connection_cut_off():
        with socket.create_connection(("localhost", sturdy.rest_port), timeout=20) as connection:
            connection.sendall(
                b"POST /v1/models/tiny:predict HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"
            )

    def no_json():
        connection = http.client.HTTPConnection("localhost", sturdy.rest_port, timeout=20)
        connection.request("POST", "/v1/models/tiny:predict", "{")
        assert connection.getresponse().status == 400
        connection.close()

    floats, strings = types_pb2.DT_FLOAT, types_pb2.DT_STRING
    return {
        "wrong dtype": refused(INVALID, images=[1.0]),
        "wrong rank": refused(INVALID, images=[[b"a"]]),
        "wrong size": refused(INVALID, signature="embed_tensor", pixels=np.ones((1, 9, 4, 3), "f")),
        "empty batch": refused(INVALID, images=_declared(strings, 0)),
        "unknown signature": refused(StatusCode.FAILED_PRECONDITION, signature="x", images=[b"a"]),
        "unknown model": refused(StatusCode.NOT_FOUND, name="x", images=[b"a"]),
        "unknown version": refused(StatusCode.NOT_FOUND, version=9, images=[b"a"]),
        "unknown label": refused(INVALID, label="x", images=[b"a"]),
        "missing input": refused(INVALID),
        "another input": refused(INVALID, images=[b"a"], pixels=[1.0]),
        "unknown output": refused(INVALID, images=[b"a"], outputs=["x"]),
        "too many rows": refused(EXHAUSTED, images=[b"a"] * 51),
        "bomb": refused(EXHAUSTED, images=_declared(strings, 2**40, string_val=[b"a"])),
        "fewer values than declared": refused(INVALID, images=_declared(strings, 40)),
        "negative shape": refused(INVALID, images=_declared(strings, -1)),
        "values for another shape": refused(
            INVALID,
            signature="embed_tensor",
            pixels=_declared(floats, 2, 4, 4, 3, tensor_content=b"1"),
        ),
        "refused by the graph": refused(INVALID, signature="embed_tensor", pixels=pixels(2e6)),
        "truncated image": truncated,
        "no protobuf": garbage,
        "no message": no_message,
        "no such method": no_method,
        "no model spec": no_spec,
        "cancelled": cancelled,
        "past its deadline": too_late,
        "HTTP/1 to gRPC": bytes_on_the_grpc_port,
        "cut off": connection_cut_off,
        "no JSON": no_json,
    }


def test_a_thousand_malformed_requests_end_neither_the_server_nor_another_s(
    sturdy, connect, malformed, predict_request, pixels
):
    over = threading.Event()
    answered = [0, 0]

    def ask_well(which):
        stubs = connect(sturdy.port)
        for value in itertools.count(1):
            if over.is_set():
                return
            request = predict_request("embed_tensor", pixels=pixels(value % 99, 7))
            embedding = tf.make_ndarray(stubs.Predict(request, timeout=20).outputs["embedding"])
            np.testing.assert_allclose(embedding[:, 0], [2 * (value % 99), 14])
            answered[which] += 1

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        well = [pool.submit(ask_well, which) for which in range(2)]
        senders = [*malformed.values()] * (1000 // len(malformed) + 1)
        try:
            sent = list(pool.map(lambda send: send(), senders))
        finally:
            over.set()
        for asking in well:
            asking.result()
    assert len(malformed) >= 12
    assert len(sent) >= 1000
    assert min(answered) > 20


def test_messages_of_100_mb_are_refused(sturdy, connect, predict_request):
    stubs = connect(sturdy.port)
    request = predict_request(images=[bytes(100_000_000)])
    for _ in range(2):
        assert stubs.code_if_any(request) == EXHAUSTED
    assert stubs.code_if_any(predict_request(images=[b"a"])) is None


def test_two_thousand_requests_across_swaps_and_a_corrupt_version_all_succeed(
    tmp_path, install, corrupt, connect, predict_request
):
    install(tmp_path, 1)
    swapped = threading.Event()
    with Server(tmp_path, port=0, poll_seconds=0.05) as server:

        def ask():
            stubs = connect(server.port)
            seen = []
            while len(seen) < 250 or not swapped.is_set():
                length = len(seen) % 50
                request = predict_request(name=tmp_path.name, images=[b"a" * length])
                response = stubs.Predict(request, timeout=20)
                number = response.model_spec.version.value
                assert response.outputs["embedding"].float_val[0] == number * length
                seen.append(number)
                # The last fifth is left for after the swaps.
                time.sleep(0.002 if len(seen) < 200 or swapped.is_set() else 0.05)
            return seen

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(ask) for _ in range(8)]
            try:
                for number, damage in ((2, None), (3, corrupt), (4, None)):
                    install(tmp_path, number, damage=damage)
                    end = time.monotonic() + 60
                    while not server.models.served[tmp_path.name].statuses(number):
                        assert time.monotonic() < end
                        time.sleep(0.01)
                    while server.models.served[tmp_path.name].statuses(number)[0].state == 20:
                        assert time.monotonic() < end
                        time.sleep(0.01)
            finally:
                swapped.set()
            seen = [one.result() for one in asking]
    assert sum(map(len, seen)) >= 2000
    for one in seen:
        assert one == sorted(one)
        assert set(one) <= {1, 2, 4}
        assert one[-1] == 4
