"""PredictionService.Predict of the embedded server, over TF Serving's own stubs."""

import concurrent.futures
import itertools
import subprocess
import sys
import textwrap
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import predict_pb2

from nfl_keras.errors import UserError
from nfl_keras.serving import Batching, Limits, Server
from nfl_keras.serving.server.loaded_model import LoadedModel


def test_each_row_is_answered(stubs, predict_request, pixels):
    response = stubs.Predict(predict_request("embed_tensor", pixels=pixels(1, 2, 5)), timeout=20)
    assert response.model_spec.name == "tiny"
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "embed_tensor"
    embedding = tf.make_ndarray(response.outputs["embedding"])
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(embedding, np.array([[2] * 3, [4] * 3, [10] * 3]), rtol=1e-6)


def test_values_are_in_the_fields_that_clients_of_tf_serving_read(stubs, predict_request):
    request = predict_request(images=[b"\xff12", b"x", b""])
    response = stubs.Predict(request, timeout=20)
    assert response.model_spec.signature_name == "serving_default"
    assert list(response.outputs["embedding"].float_val) == [6] * 3 + [2] * 3 + [0] * 3
    assert list(response.outputs["status"].int_val) == [0, 1, 4]
    assert [d.size for d in response.outputs["embedding"].tensor_shape.dim] == [3, 3]


def test_outputs_are_filtered(stubs, predict_request):
    response = stubs.Predict(predict_request(images=[b"\xff"], outputs=["status"]), timeout=20)
    assert list(response.outputs) == ["status"]


def test_a_version_is_named_by_number(stubs, predict_request):
    response = stubs.Predict(predict_request(version=2, images=[b"\xff"]), timeout=20)
    assert response.model_spec.version.value == 2


def _tensor(dtype, *shape, **values):
    proto = tensor_pb2.TensorProto(dtype=dtype, **values)
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


FLOAT = types_pb2.DT_FLOAT
STRING = types_pb2.DT_STRING
INVALID = StatusCode.INVALID_ARGUMENT
EXHAUSTED = StatusCode.RESOURCE_EXHAUSTED

REFUSED = {
    "model": (dict(name="other"), StatusCode.NOT_FOUND, "Latest(other)"),
    "no model": (dict(name=""), INVALID, "no name"),
    "version": (dict(version=7), StatusCode.NOT_FOUND, "Specific(tiny, 7)"),
    "label": (dict(label="best"), INVALID, "Unrecognized servable version label: best"),
    "signature": (dict(signature="no"), StatusCode.FAILED_PRECONDITION, '"no" not found'),
    "init op": (dict(signature="__saved_model_init_op"), StatusCode.FAILED_PRECONDITION, ""),
    "output": (dict(outputs=["x"], images=[b"a"]), INVALID, "not found in signature: x"),
    "outputs": (dict(outputs=["status"] * 2, images=[b"a"]), INVALID, "duplicate"),
    "no input": ({}, INVALID, "Missing but required: {images}"),
    "other input": (dict(pictures=[b"a"]), INVALID, "Sent extra: {pictures}"),
    "dtype": (dict(images=[1.0]), INVALID, "must be string (None,) but is float32 (1,)"),
    "rank": (dict(images=[[b"a"]]), INVALID, "must be string (None,) but is string (1, 1)"),
    "no rows": (dict(images=_tensor(STRING, 0)), INVALID, "no rows"),
    "many rows": (dict(images=[b"a"] * 101), EXHAUSTED, "101 rows"),
    "fewer": (dict(images=_tensor(STRING, 3, string_val=[b"a"])), INVALID, "3 strings declared"),
    "negative": (dict(images=_tensor(STRING, -3)), INVALID, ""),
    "unknown dtype": (dict(images=_tensor(999, 1)), INVALID, "999"),
    "pixels of a size": (
        dict(signature="embed_tensor", pixels=np.ones((1, 5, 4, 3), "float32")),
        INVALID,
        "must be float32 (None, 4, 4, 3) but is float32 (1, 5, 4, 3)",
    ),
    "bytes of pixels": (
        dict(signature="embed_tensor", pixels=_tensor(FLOAT, 1, 4, 4, 3, tensor_content=b"12")),
        INVALID,
        "2 bytes",
    ),
    "too many pixels": (
        dict(signature="embed_tensor", pixels=_tensor(FLOAT, 1, 4, 4, 3, float_val=[1.0] * 49)),
        INVALID,
        "",
    ),
    "refused by the graph": (
        dict(signature="embed_tensor", pixels=np.full((1, 4, 4, 3), 2e6, "float32")),
        INVALID,
        "assertion failed",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_request_is_refused_by_its_code(kind, stubs, predict_request):
    arguments, code, words = REFUSED[kind]
    found, message = stubs.code(stubs.Predict, predict_request(**arguments))
    assert found == code
    assert words in message
    assert "\n" not in message


def test_a_request_without_a_model_spec_is_refused(stubs):
    code, message = stubs.code(stubs.Predict, predict_pb2.PredictRequest())
    assert (code, message) == (INVALID, "Missing ModelSpec")


def test_a_constant_tensor_of_a_single_value_is_taken(stubs, predict_request):
    constant = _tensor(FLOAT, 2, 4, 4, 3, float_val=[3.0])
    response = stubs.Predict(predict_request("embed_tensor", pixels=constant), timeout=20)
    np.testing.assert_allclose(tf.make_ndarray(response.outputs["embedding"]), np.full((2, 3), 6.0))


def test_a_tensor_larger_than_a_message_is_not_made(predict_request):
    request = predict_request("any", pixels=_tensor(FLOAT, 100, 4, 4, 3, float_val=[3.0]))
    from nfl_keras.serving.server.serving_error import ServingError
    from nfl_keras.serving.server.signature import to_array

    with pytest.raises(ServingError, match=r"declares 19200 bytes, larger than max \(19199\)"):
        to_array(request.inputs["pixels"], "pixels", 19199)


@pytest.mark.parametrize("method", ["Classify", "Regress", "MultiInference", "Guess"])
def test_other_methods_are_unimplemented(method, stubs):
    call = stubs.channel.unary_unary(f"/tensorflow.serving.PredictionService/{method}")
    assert stubs.code(call, b"")[0] == StatusCode.UNIMPLEMENTED


class Slow:
    """Makes every run wait until it is `released`; `entered` when the first has begun."""

    def __init__(self):
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self, run):
        def waiting(loaded, *arguments):
            self.entered.set()
            assert self.released.wait(20)
            return run(loaded, *arguments)

        return waiting


@pytest.fixture
def slow(monkeypatch):
    slow = Slow()
    monkeypatch.setattr(LoadedModel, "run", slow(LoadedModel.run))
    yield slow
    slow.released.set()


def test_the_deadline_of_the_server_ends_a_request(
    slow, tmp_path, install_warm, connect, predict_request
):
    slow.released.set()
    base = install_warm(tmp_path / "tiny", 1).parent
    with Server(base, port=0, limits=Limits(max_request_seconds=2)) as server:
        slow.released.clear()
        stubs = connect(server.port)
        request = predict_request(images=[b"a"])
        code, message = stubs.code(stubs.Predict, request)
        assert code == StatusCode.DEADLINE_EXCEEDED
        assert "2 seconds" in message
        slow.released.set()
        assert stubs.Predict(request, timeout=20).outputs["status"].int_val == [1]


def test_more_than_the_concurrent_requests_are_turned_away_at_once(
    slow, tmp_path, install, connect, predict_request
):
    install(tmp_path, 1)
    limits = Limits(max_concurrent_requests=3)
    with (
        Server(tmp_path, port=0, limits=limits, batching=Batching(num_batch_threads=1)) as server,
        concurrent.futures.ThreadPoolExecutor(12) as pool,
    ):
        stubs = connect(server.port)
        request = predict_request(name=tmp_path.name, images=[b"a"])
        calls = [pool.submit(stubs.Predict, request, timeout=20) for _ in range(12)]
        done = list(itertools.islice(concurrent.futures.as_completed(calls, timeout=20), 9))
        waiting = [call for call in calls if call not in done]
        assert not any(call.done() for call in waiting)
        assert all(call.exception().code() == EXHAUSTED for call in done)
        slow.released.set()
        assert all(call.result().outputs["status"].int_val == [1] for call in waiting)


def test_a_cancelled_call_is_not_run(slow, tmp_path, install, connect, predict_request):
    install(tmp_path, 1)
    batching = Batching(max_batch_size=1, num_batch_threads=1)
    with Server(tmp_path, port=0, batching=batching) as server:
        stubs = connect(server.port)
        name = tmp_path.name
        first = stubs.Predict.future(predict_request(name=name, images=[b"a"]), timeout=20)
        assert slow.entered.wait(20)
        second = stubs.Predict.future(predict_request(name=name, images=[b"ab"]), timeout=20)
        while not server._batcher._queues:
            time.sleep(0.01)
        ((job,),) = server._batcher._queues.values()
        second.cancel()
        end = time.monotonic() + 20
        while not job.future.cancelled():
            assert time.monotonic() < end
            time.sleep(0.01)
        slow.released.set()
        assert first.result().outputs["status"].int_val == [1]
        third = stubs.Predict(predict_request(name=name, images=[b"abc"]), timeout=20)
        assert third.outputs["embedding"].float_val[0] == 3


def test_requests_under_way_are_answered_when_it_stops(
    slow, tmp_path, install, connect, predict_request
):
    install(tmp_path, 1)
    server = Server(tmp_path, port=0).start()
    stubs = connect(server.port)
    request = predict_request(name=tmp_path.name, images=[b"a"])
    call = stubs.Predict.future(request, timeout=20)
    assert slow.entered.wait(20)
    stopping = threading.Thread(target=server.stop, args=(20,))
    stopping.start()
    stopping.join(0.5)
    assert stopping.is_alive()
    assert stubs.code(stubs.Predict, request)[0] == StatusCode.UNAVAILABLE
    slow.released.set()
    assert call.result().outputs["status"].int_val == [1]
    stopping.join(20)
    assert not stopping.is_alive()


def test_a_port_that_is_taken_is_said_so(served, tmp_path, install):
    install(tmp_path, 1)
    with pytest.raises(UserError, match="cannot listen on"):
        Server(tmp_path, port=served.port).start()
    with pytest.raises(UserError, match="cannot listen on"):
        Server(tmp_path, port=0, rest_port=served.rest_port).start()


def test_a_client_of_tensorflow_serving_api_alone_is_answered(served):
    client = """
        import sys
        import grpc
        from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

        stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(sys.argv[1]))
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "tiny"
        shape = tensor_shape_pb2.TensorShapeProto(dim=[{"size": 1}])
        request.inputs["images"].CopyFrom(
            tensor_pb2.TensorProto(
                dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=[b"\\xff\\xd8"]
            )
        )
        response = stub.Predict(request, timeout=20)
        print(list(response.outputs["embedding"].float_val), "nfl_keras" in sys.modules)
    """
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(client), f"localhost:{served.port}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stdout.splitlines()[-1:] == ["[4.0, 4.0, 4.0] False"], finished.stderr


def test_merged_requests_get_their_own_rows(stubs, predict_request, pixels):
    def ask(value):
        request = predict_request("embed_tensor", pixels=pixels(*[value] * (value % 5 + 1)))
        embedding = tf.make_ndarray(stubs.Predict(request, timeout=20).outputs["embedding"])
        return embedding.shape == (value % 5 + 1, 3) and np.allclose(embedding, 2 * value)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(200)))


def test_one_request_that_fails_does_not_fail_those_merged_with_it(stubs, predict_request, pixels):
    def ask(value):
        request = predict_request("embed_tensor", pixels=pixels(2e6 if value % 4 == 0 else value))
        try:
            return tf.make_ndarray(stubs.Predict(request, timeout=20).outputs["embedding"])[0, 0]
        except grpc.RpcError as error:
            return error.code()

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(80)))
    assert found == [INVALID if value % 4 == 0 else 2 * value for value in range(80)]
