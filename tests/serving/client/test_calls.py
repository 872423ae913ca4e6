import itertools
import random
import threading
import time
import types

import grpc
import pytest
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from nfl_keras.serving.client.calls import CallError, Calls, MessageTooLargeError
from nfl_keras.serving.client.embed_batch import PHOTOGRAPHS

SPEC = ModelSpec(name="embedder", signature_name="serving_default")


@pytest.fixture
def stub(start):
    with grpc.insecure_channel(f"localhost:{start()}") as channel:
        yield PredictionServiceStub(channel)


@pytest.fixture
def request_of_one():
    return PHOTOGRAPHS.request(SPEC, [b"a photograph"])


def refused(times):
    return [(grpc.StatusCode.UNAVAILABLE, "not yet")] * times


def test_each_pause_is_at_least_half_of_twice_the_one_before(stub, serving, request_of_one):
    serving.refusals = refused(4)
    Calls(5, 0.04, 20).send(stub.Predict, request_of_one)
    pauses = [later - earlier for earlier, later in itertools.pairwise(serving.times)]
    for pause, longest in zip(pauses, (0.04, 0.08, 0.16, 0.32), strict=True):
        assert pause >= longest / 2


def test_the_share_of_chance(stub, serving, request_of_one, monkeypatch):
    drawn = []
    monkeypatch.setattr(random, "uniform", lambda *limits: drawn.append(limits) or 0.5)
    serving.refusals = refused(3)
    Calls(5, 0.001, 20).send(stub.Predict, request_of_one)
    assert drawn == [(0.5, 1)] * 3


def test_no_pause_is_longer_than_ten_seconds(stub, serving, request_of_one, monkeypatch):
    waited = []
    monkeypatch.setattr(random, "uniform", lambda *limits: 1)
    serving.refusals = refused(5)
    calls = Calls(6, 3, 1000)
    monkeypatch.setattr(calls._over, "wait", waited.append)
    calls.send(stub.Predict, request_of_one)
    assert waited == [3, 6, 10, 10, 10]


def test_no_pause_goes_beyond_the_end(stub, serving, request_of_one):
    serving.refusals = refused(1)
    begin = time.monotonic()
    with pytest.raises(CallError) as raised:
        Calls(5, 30, 4).send(stub.Predict, request_of_one)
    assert time.monotonic() - begin < 4
    assert str(raised.value) == "UNAVAILABLE: not yet"


def test_the_deadline_is_one_for_all_requests(stub, serving, request_of_one, monkeypatch):
    calls = Calls(5, 0.001, 90, deadline=60)
    calls.send(stub.Predict, request_of_one)
    later = types.SimpleNamespace(monotonic=lambda: time.monotonic() + 60)
    monkeypatch.setattr("nfl_keras.serving.client.calls.time", later)
    with pytest.raises(CallError, match="no answer within 60 seconds"):
        calls.send(stub.Predict, request_of_one)
    assert len(serving.requests) == 1


def test_a_servers_own_deadline_is_told_as_its_own(stub, serving, request_of_one):
    serving.refusals = [(grpc.StatusCode.DEADLINE_EXCEEDED, "the queue is long")]
    with pytest.raises(CallError, match="DEADLINE_EXCEEDED: the queue is long"):
        Calls(5, 0.001, 20).send(stub.Predict, request_of_one)
    assert len(serving.requests) == 1


def test_nothing_is_sent_after_a_failure(stub, serving, request_of_one):
    calls = Calls(5, 0.001, 20)
    with pytest.raises(CallError, match="NOT_FOUND"):
        calls.send(stub.Predict, PredictRequest(model_spec=ModelSpec(name="birds")))
    for method, request in (
        (stub.Predict, request_of_one),
        (stub.GetModelMetadata, GetModelMetadataRequest(model_spec=SPEC)),
    ):
        with pytest.raises(CallError, match="NOT_FOUND"):
            calls.send(method, request)
    assert len(serving.requests) == 1
    assert serving.metadata_requests == 0


def test_a_message_that_is_too_large_is_sent_once_and_ends_nothing(stub, serving, request_of_one):
    serving.refusals = [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (9 vs. 8)")
    ]
    calls = Calls(5, 0.001, 20)
    with pytest.raises(MessageTooLargeError):
        calls.send(stub.Predict, request_of_one)
    assert len(serving.requests) == 1
    calls.send(stub.Predict, request_of_one)


@pytest.mark.parametrize("waiting", ["for an answer", "before the next attempt"])
def test_cancelling_ends_what_waits(waiting, stub, serving, request_of_one):
    released = threading.Event()
    if waiting == "for an answer":
        serving.before = lambda number: released.wait(10)
    else:
        serving.refusals = refused(5)
    calls = Calls(5, 8, 20)
    raised = []

    def send():
        try:
            calls.send(stub.Predict, request_of_one)
        except CallError as error:
            raised.append(error)

    thread = threading.Thread(target=send)
    begin = time.monotonic()
    thread.start()
    while not serving.requests:
        time.sleep(0.01)
    time.sleep(0.1)
    calls.cancel()
    thread.join()
    released.set()
    assert time.monotonic() - begin < 3
    assert [error.code for error in raised] == [grpc.StatusCode.CANCELLED]
    assert len(serving.requests) == 1


def test_long_details_are_one_short_line():
    error = CallError(grpc.StatusCode.INTERNAL, "a\n\tb" * 1000)
    assert str(error).startswith("INTERNAL: a ba ba b")
    assert len(str(error)) < 350
    assert str(CallError(grpc.StatusCode.INTERNAL, None)) == "INTERNAL: no details"
