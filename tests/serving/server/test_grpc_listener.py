"""Health, reflection, and calls that hold on to the server."""

import contextlib
import threading
import time

import grpc
import pytest
from google.protobuf import descriptor_pb2
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from nfl_keras.serving import Limits, Server

PREDICTION_SERVICE = "tensorflow.serving.PredictionService"
PREDICT = f"/{PREDICTION_SERVICE}/Predict"


def _health(channel, service=""):
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=20).status


@pytest.fixture
def start(tmp_path, install_warm, connect):
    """Function from limits to a running server of `tiny` and its `Stubs`."""
    servers = []

    def begin(**limits):
        base = install_warm(tmp_path / "tiny", 1).parent
        servers.append(Server(base, port=0, limits=Limits(**limits)).start())
        return servers[-1], connect(servers[-1].port)

    yield begin
    for server in servers:
        server.stop(grace=0)


@pytest.mark.parametrize("service", ["", PREDICTION_SERVICE, "tensorflow.serving.ModelService"])
def test_health_is_serving(service, stubs):
    assert _health(stubs.channel, service) == health_pb2.HealthCheckResponse.SERVING


def test_health_of_an_unknown_service_is_not_found(stubs):
    check = health_pb2_grpc.HealthStub(stubs.channel).Check
    request = health_pb2.HealthCheckRequest(service="other")
    assert stubs.code(check, request)[0] == StatusCode.NOT_FOUND


def test_who_watches_health_is_told_of_the_stop_which_does_not_wait_for_him(start):
    server, stubs = start()
    watched = health_pb2_grpc.HealthStub(stubs.channel).Watch(
        health_pb2.HealthCheckRequest(), timeout=90
    )
    told = []

    def listen():
        with contextlib.suppress(grpc.RpcError):
            for answer in watched:
                told.append(answer.status)

    listener = threading.Thread(target=listen)
    listener.start()
    while not told:
        time.sleep(0.01)
    began = time.monotonic()
    server.stop(grace=60)
    assert time.monotonic() - began < 30
    listener.join()
    answer = health_pb2.HealthCheckResponse
    assert told == [answer.SERVING, answer.NOT_SERVING]


def test_reflection_describes_the_services(stubs):
    stub = reflection_pb2_grpc.ServerReflectionStub(stubs.channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=PREDICTION_SERVICE),
    ]
    services, files = stub.ServerReflectionInfo(iter(questions), timeout=20)
    names = {service.name for service in services.list_services_response.service}
    assert {PREDICTION_SERVICE, "tensorflow.serving.ModelService", "grpc.health.v1.Health"} <= names
    file = descriptor_pb2.FileDescriptorProto.FromString(
        files.file_descriptor_response.file_descriptor_proto[0]
    )
    assert "Predict" in [method.name for method in file.service[0].method]


def test_a_message_that_is_none_is_refused(stubs):
    call = stubs.channel.unary_unary(PREDICT)
    assert stubs.code(call, b"\xff\xff\xff")[0] == StatusCode.INVALID_ARGUMENT


def test_a_call_without_a_message_is_refused(stubs):
    call = stubs.channel.stream_unary(PREDICT)
    assert stubs.code(call, iter(()))[0] == StatusCode.INVALID_ARGUMENT


def test_a_message_that_is_too_large_is_refused(stubs, predict_request):
    request = predict_request(images=[bytes(2**20)])
    code, message = stubs.code(stubs.Predict, request)
    assert code == StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max" in message
    assert stubs.Predict(predict_request(images=[b"a"]), timeout=20)


class HalfOpen:
    """A call whose message never comes."""

    def __init__(self, channel, method=PREDICT):
        self._never = threading.Event()
        self.call = channel.stream_unary(method).future(self._messages(), timeout=30)

    def _messages(self):
        self._never.wait(30)
        return iter(())
        yield

    def close(self):
        self._never.set()
        self.call.cancel()


def test_calls_whose_message_does_not_come_are_ended(start, predict_request):
    _, stubs = start(max_concurrent_requests=4, max_request_seconds=2)
    calls = [HalfOpen(stubs.channel) for _ in range(6)]
    codes = [call.call.exception(timeout=20).code() for call in calls]
    assert (
        sorted(codes, key=str) == [StatusCode.CANCELLED] * 4 + [StatusCode.RESOURCE_EXHAUSTED] * 2
    )
    assert stubs.Predict(predict_request(images=[b"a"]), timeout=20)
    for call in calls:
        call.close()


def test_a_server_that_is_full_still_says_that_it_is_healthy(start):
    _, stubs = start(max_concurrent_requests=2, max_request_seconds=20)
    calls = [HalfOpen(stubs.channel) for _ in range(10)]
    refused = [call.call for call in calls]
    while sum(call.done() for call in refused) < 8:
        time.sleep(0.01)
    assert _health(stubs.channel) == health_pb2.HealthCheckResponse.SERVING
    for call in calls:
        call.close()


def test_a_call_that_is_cancelled_before_its_message_gives_its_place_back(start, predict_request):
    _, stubs = start(max_concurrent_requests=1, max_request_seconds=20)
    request = predict_request(images=[b"a"])

    def hold_the_place():
        while True:
            call = HalfOpen(stubs.channel)
            while not call.call.done():
                if stubs.code_if_any(request):
                    return call

    for _ in range(3):
        hold_the_place().close()
        while stubs.code_if_any(request):
            time.sleep(0.01)


def test_many_streams_do_not_take_all_places(start, predict_request):
    _, stubs = start(max_concurrent_requests=2, max_request_seconds=1)
    stub = reflection_pb2_grpc.ServerReflectionStub(stubs.channel)
    over = threading.Event()

    def questions():
        over.wait(20)
        yield from ()

    streams = [stub.ServerReflectionInfo(questions(), timeout=20) for _ in range(30)]
    assert stubs.Predict(predict_request(images=[b"a"]), timeout=20)
    codes = [stream.code() for stream in streams]
    over.set()
    assert codes.count(StatusCode.RESOURCE_EXHAUSTED) == 14
    assert codes.count(StatusCode.CANCELLED) == 16
